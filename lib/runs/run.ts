import * as z from "zod";
import type { Item } from "../adapters/dynamodb.ts";
import { RunnerError } from "../core/errors.ts";
import { noUsage } from "../model/model.ts";

/**
 * A run's states. `leased` --begin--> `running` --close--> `completed` | `failed` | `lost`; and from both open states
 * --next attempt--> `leased`, for a continuation or a restart.
 * - leased: the present attempt's event is on the way. Exactly one invocation of that attempt may begin.
 * - running: one invocation (`invocationId`) works under the lease; it sends heartbeats, notes rounds and closes.
 * - completed: Studio accepted the deliverables.
 * - failed: Studio was told a reason that its user can read.
 * - lost: the lease is gone, or a newer run has the workspace; the job is Studio's again.
 */
export const runStates = ["leased", "running", "completed", "failed", "lost"] as const;
export type RunState = (typeof runStates)[number];
export type EndState = Extract<RunState, "completed" | "failed" | "lost">;

const usageSchema = z.object({
  inputTokens: z.number(),
  cachedInputTokens: z.number(),
  cacheWriteTokens: z.number().default(0),
  outputTokens: z.number(),
  reasoningTokens: z.number(),
  webSearches: z.number().default(0),
  costUsd: z.number().optional(),
});

const inheritedSchema = z.object({
  runId: z.string(),
  jobDigest: z.string(),
  responseIds: z.array(z.string()),
  usage: usageSchema,
  usageBeside: usageSchema,
  repaired: z.boolean(),
});

const reportingSchema = z.object({
  reason: z.string(),
  /** What the job's user reads. */
  explanation: z.string(),
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
  attempt: z.number().int().positive(),
  leasedAtMs: z.number(),
  /** How long a lease lasts as Studio gives it. */
  leaseMs: z.number().transform((ms) => Math.max(1, ms)),
  leaseExpiresAtMs: z.number(),
  /** When the present attempt's event was sent. */
  calledAtMs: z.number(),
  /** Attempts that began anew after trouble, the first attempt included. */
  starts: z.number().default(1),
  /** Attempts that took over from a healthy one. */
  continuations: z.number().default(0),
  /** What ended earlier attempts: codes, oldest first. */
  troubles: z.array(z.string()).default([]),
  /** The pool, while the run is open; absent once it is closed. Key of the sparse index `open`. */
  openIn: z.string().optional(),
  invocationId: z.string().optional(),
  /** The platform's id of that invocation, as recovery is told it. */
  requestId: z.string().optional(),
  beganAtMs: z.number().optional(),
  heartbeatAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  /** When the cycle that leased last saw that the pool need not hold back. */
  poolFreeAtMs: z.number().optional(),
  /** What an earlier run left of the same workspace: taken up if it was for the same job. */
  inherited: inheritedSchema.optional(),
  /** Why the run ended: an error's code, or `ok`. */
  reason: z.string().optional(),
  /** The same in a sentence, as Studio's user reads it. */
  explanation: z.string().optional(),
  /** A post that ends the job was sent and never answered: nobody here knows whether Studio took it. */
  unconfirmed: z.boolean().optional(),
  rounds: z.number().default(0),
  /** Which job of the workspace this is (lib/attempt/job-digest.ts); absent before its context was read. */
  jobDigest: z.string().optional(),
  /**
   * The stored responses of the run's rounds, oldest first. Each is recorded as soon as its id is known, so the last one
   * may still be generating. As many as the tool loop has rounds, at most.
   */
  responseIds: z.array(z.string()).default([]),
  /** The same for the summary of the earlier messages. */
  summaryResponseId: z.string().optional(),
  /** The chain could not be read once, and the job was begun anew. */
  startedOver: z.boolean().default(false),
  /** The deliverables are on their way: a lease that is gone now was probably taken by their arrival. */
  delivering: z.boolean().default(false),
  /** Studio refused the deliverables once, and the model was asked to mend them: it is not asked twice. */
  repaired: z.boolean().default(false),
  /**
   * The failure is on its way to Studio, and nothing else can become of the run: a lease that is gone now was probably
   * taken by its arrival.
   */
  reporting: reportingSchema.optional(),
  model: z.string().optional(),
  /** What the run itself has paid for. */
  usage: usageSchema.default(noUsage),
  /** What was paid for beside the rounds of `responseIds`: a summary, and rounds before the job was begun anew. */
  usageBeside: usageSchema.default(noUsage),
  /** What the inherited rounds have cost, which the earlier run has counted. */
  usageBefore: usageSchema.default(noUsage),
  /** When the job's newest message was written, by our clock; absent before its context was read. */
  createdAtMs: z.number().optional(),
  /** Estimated, of a run that has ended; absent where nobody knows the model's price. */
  costUsd: z.number().optional(),
});

export type Inherited = Readonly<z.output<typeof inheritedSchema>>;
export type Reporting = Readonly<z.output<typeof reportingSchema>>;
export type Run = Readonly<z.output<typeof runSchema>>;

export interface AttemptRef {
  readonly pool: string;
  readonly runId: string;
  readonly attempt: number;
}

/** Names the one invocation that may write for an attempt. A write that does not match it means: superseded. */
export interface Fence extends AttemptRef {
  readonly invocationId: string;
}

/** What an attempt notes of its work on the way. */
export type RunProgress = Partial<
  Pick<
    Run,
    | "rounds"
    | "jobDigest"
    | "responseIds"
    | "summaryResponseId"
    | "startedOver"
    | "delivering"
    | "repaired"
    | "reporting"
    | "model"
    | "usage"
    | "usageBeside"
    | "usageBefore"
    | "createdAtMs"
  >
>;

export const runItemId = (runId: string): string => `run#${runId}`;

/** None where the row is no run, which `onUnreadable` is told of. */
export function readable(item: Item, onUnreadable: (problem: RunnerError) => void): readonly Run[] {
  const result = runSchema.safeParse(item);
  if (result.success) return [result.data];
  onUnreadable(noRun(item, result.error));
  return [];
}

/** @throws RunnerError `internal` where the row is no run */
export function parseRun(item: Item): Run {
  const result = runSchema.safeParse(item);
  if (result.success) return result.data;
  throw noRun(item, result.error);
}

function noRun(item: Item, { issues }: z.ZodError): RunnerError {
  const fields = issues.map(({ path }) => path.join(".")).join(", ");
  return new RunnerError("internal", `the run store row ${String(item["id"])} is not a run: ${fields}`);
}
