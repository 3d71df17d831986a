import * as z from "zod";
import { noUsage } from "../inference/model.ts";

/**
 * A run's states. `leased` --begin--> `running` --close--> `completed` | `failed` | `lost`.
 * - leased: opened by the dispatcher; its leg's event is on the way. Exactly one invocation of that leg may begin.
 * - running: one invocation (`invocationId`) works under the lease; it beats, notes rounds and closes.
 * - completed: Studio accepted the deliverables.
 * - failed: Studio was told a reason that its user can read.
 * - lost: the lease is gone; nothing was posted, and the job is Studio's again.
 */
export const runStates = ["leased", "running", "completed", "failed", "lost"] as const;
export type RunState = (typeof runStates)[number];
export type EndState = Extract<RunState, "completed" | "failed" | "lost">;

const usageSchema = z.object({
  inputTokens: z.number(),
  cachedInputTokens: z.number(),
  outputTokens: z.number(),
  reasoningTokens: z.number(),
});

/** A run's row. Times are epoch ms by our clock. */
export const runSchema = z.object({
  pool: z.string(),
  /** `run#` and the run's ULID: newest last when read in order. */
  id: z.string(),
  runId: z.string(),
  workspaceId: z.string(),
  /** The credential id of the runner key that took the lease. */
  keyId: z.string(),
  state: z.enum(runStates),
  leg: z.number().int().positive(),
  leasedAtMs: z.number(),
  leaseExpiresAtMs: z.number(),
  /** The pool, while the run is open; absent once it is closed. Key of the sparse index `open`. */
  openIn: z.string().optional(),
  invocationId: z.string().optional(),
  beganAtMs: z.number().optional(),
  beatAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  /** Why the run ended: an error's code, or `ok`. */
  reason: z.string().optional(),
  /** The same in a sentence, as Studio's user reads it. */
  explanation: z.string().optional(),
  rounds: z.number().default(0),
  lastResponseId: z.string().optional(),
  usage: usageSchema.default(noUsage),
});

export type Run = Readonly<z.output<typeof runSchema>>;

export interface LegRef {
  readonly pool: string;
  readonly runId: string;
  readonly leg: number;
}

/** Names the one invocation that may write for a leg. A write that does not match it means: superseded. */
export interface Fence extends LegRef {
  readonly invocationId: string;
}

export const runItemId = (runId: string): string => `run#${runId}`;
