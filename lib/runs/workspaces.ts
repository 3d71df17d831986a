import * as z from "zod";
import type { ItemKey, Table } from "../adapters/dynamodb.ts";
import { expiryOf, type Run } from "./run.ts";

/** An invalid field counts as absent, so that it cannot block the workspace's jobs. */
const workspaceSchema = z.object({
  workspaceId: z.string().catch(""),
  /** The newest run of the workspace: the only one that may be unfinished. */
  runId: z.string().catch(""),
  /** The run before it, in case the newest one was never created. */
  earlierRunId: z.string().optional().catch(undefined),
  /** How many runs in a row paid for rounds and then lost their lease. */
  losses: z.number().default(0).catch(0),
  /** No run is created before this (epoch ms), because of these losses. */
  leftAloneUntilMs: z.number().optional().catch(undefined),
});

export type Workspace = Readonly<z.output<typeof workspaceSchema>>;

/** Which run has a workspace. Studio identifies a lease by key and workspace only, so a workspace has at most one run. */
export interface WorkspaceRows {
  read(pool: string, workspaceId: string): Promise<Workspace | undefined>;
  /** False if a newer run has the workspace: this run was created too late to be superseded, and must stop. */
  isOf(run: Pick<Run, "pool" | "workspaceId" | "runId">): Promise<boolean>;
  /**
   * Gives the workspace to a run, unless it has changed hands since `previousRunId` was read.
   * Safe to repeat with the same run.
   */
  claim(pool: string, claim: WorkspaceClaim): Promise<boolean>;
  /** Workspaces that are left alone at this time. Reads all of the pool's rows: for an operator's question. */
  leftAlone(pool: string, nowMs: number): Promise<readonly Workspace[]>;
}

export interface WorkspaceClaim extends Workspace {
  readonly previousRunId: string | undefined;
  readonly atMs: number;
}

/** Longer than any run lasts, and than a workspace is left alone. */

const prefix = "workspace#";
const keyOf = (pool: string, workspaceId: string): ItemKey => ({ pool, id: `${prefix}${workspaceId}` });

export function createWorkspaceRows(table: Table): WorkspaceRows {
  const read: WorkspaceRows["read"] = async (pool, workspaceId) => {
    const item = await table.get(keyOf(pool, workspaceId));
    return item && workspaceSchema.parse(item);
  };
  return {
    read,
    isOf: async ({ pool, workspaceId, runId }) => {
      const workspace = await read(pool, workspaceId);
      return workspace === undefined || workspace.runId === runId;
    },
    claim: async (pool, { previousRunId, atMs, ...workspace }) => {
      const key = keyOf(pool, workspace.workspaceId);
      const expiresAtSeconds = expiryOf(atMs);
      const unchanged =
        previousRunId === undefined ? "attribute_not_exists(#runId)" : "#runId = :previousRunId";
      const condition = {
        text: `${unchanged} OR #runId = :runId`,
        values: { previousRunId, runId: workspace.runId },
      };
      return table.put({ ...key, ...workspace, expiresAtSeconds }, condition);
    },
    leftAlone: async (pool, nowMs) => {
      const items = await table.query({
        where: { text: "#pool = :pool AND begins_with(#id, :prefix)", values: { pool, prefix } },
        filter: { text: "#leftAloneUntilMs > :now", values: { now: nowMs } },
      });
      return items.flatMap((item) => workspaceSchema.safeParse(item).data ?? []);
    },
  };
}
