import * as z from "zod";
import { withoutSecrets } from "../infra/secret-like.ts";
import { keepHead, printableLines } from "../lib/core/text.ts";
import { failedInvocationSchema } from "../lib/attempt/failed-invocation.ts";
import type { Run } from "../lib/runs/run.ts";
import type { Context } from "./context.ts";
import type { QueuedMessage } from "./ports.ts";
import type { StackPool } from "./stack.ts";
import { parseJson } from "../lib/core/json.ts";

/**
 * What to do with a dead letter, and why. `keep`: it cannot be read. `drop`: it cannot be read, and the user
 * wants to delete it.
 */
export interface Decision {
  readonly action: "delete" | "send" | "keep" | "drop";
  readonly why: string;
}

export interface DeadLetter extends Decision {
  readonly message: QueuedMessage;
  readonly runId: string | undefined;
  readonly workspaceId: string | undefined;
  readonly attempt: number | undefined;
  /** The event for recovery. */
  readonly event: unknown;
}

/** The record that Lambda sends to recovery's on-failure destination; it contains recovery's own event. */
const recordSchema = z.looseObject({ requestPayload: z.unknown() });

/**
 * Reads a dead letter, and looks in the run store for whether there is still something to recover.
 * @throws RunnerError `run_store_unavailable`
 */
export async function readDeadLetter(
  context: Context,
  pool: StackPool,
  message: QueuedMessage,
): Promise<DeadLetter> {
  const event = recordSchema.safeParse(parseJson(message.body)).data?.requestPayload;
  const failed = failedInvocationSchema.safeParse(event).data?.event;
  if (!failed) {
    const why = "it is not a record of a failed attempt; --show prints it, --drop removes it";
    return {
      message,
      action: "keep",
      why,
      event,
      runId: undefined,
      workspaceId: undefined,
      attempt: undefined,
    };
  }
  const { runId, attempt } = failed;
  const { runs } = await context.runStore();
  const run = await runs.read(pool.name, runId);
  const decision = judge({ run, attempt, nowMs: context.clock.now() });
  return { message, ...decision, event, runId, workspaceId: run?.workspaceId, attempt };
}

interface Case {
  readonly run: Run | undefined;
  readonly attempt: number;
  readonly nowMs: number;
}

const rows: readonly ((given: Case) => Decision | undefined)[] = [
  ({ run }) => (run ? undefined : { action: "delete", why: "its run is no longer in the run store" }),
  ({ run }) =>
    run?.openIn === undefined
      ? { action: "delete", why: `its run has ended: ${run?.state ?? ""} (${run?.reason ?? ""})` }
      : undefined,
  ({ run, attempt }) =>
    run && run.attempt > attempt
      ? { action: "delete", why: `attempt ${run.attempt} continued its run` }
      : undefined,
  ({ run, nowMs }) =>
    run && run.leaseExpiresAtMs <= nowMs
      ? {
          action: "delete",
          why: "its lease has expired: the job is back in Studio's queue, and there is nothing to recover",
        }
      : undefined,
];

export const judge = (given: Case): Decision =>
  rows.map((row) => row(given)).find((decision) => decision !== undefined) ?? {
    action: "send",
    why: "its lease is live: recovery can still continue it",
  };

const shownCharacters = 2_000;

const escape = "\u001B";
/** ANSI sequences. They are removed first, because their last letter would hide the beginning of a secret. */
const sequences = new RegExp(`${escape}\\[[0-?]*[ -/]*[@-~]`, "g");

/** A dead letter's body for display: shortened, and without secrets and control characters. */
export function bodyForPeople(body: string): string {
  const safe = printableLines(withoutSecrets(body.replaceAll(sequences, "")));
  const shown = keepHead(safe, shownCharacters);
  return shown === safe ? safe : `${shown}… (${safe.length - shown.length} more characters)`;
}
