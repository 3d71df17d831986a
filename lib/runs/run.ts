import * as z from "zod";
import type { Item, ItemKey } from "../adapters/dynamodb.ts";
import { RunnerError } from "../core/errors.ts";
import { oneLine } from "../core/text.ts";
import { noUsage } from "../model/model.ts";

/**
 * A run's states: `leased` --start--> `running` --finish--> `completed` | `failed` | `lost`. Both unfinished states can go back to
 * `leased` with the next attempt, for a continuation or a restart.
 * - leased: the attempt's event was sent. Exactly one invocation of that attempt can start.
 * - running: one invocation (`invocationId`) works under the lease; it sends heartbeats, records rounds and finishes the run.
 * - completed: Studio accepted the deliverables.
 * - failed: Studio received a reason that its user can read.
 * - lost: the lease is gone, or a newer run has the workspace; the job is back in Studio's queue.
 */
export const runStates = ["leased", "running", "completed", "failed", "lost"] as const;
export type RunState = (typeof runStates)[number];
export type OutcomeState = Extract<RunState, "completed" | "failed" | "lost">;

/** How a run finished. */
export interface Outcome {
  readonly state: OutcomeState;
  /** An error's code, or `ok`. */
  readonly reason: string;
  /** The reason in a sentence for Studio's user. */
  readonly explanation?: string | undefined;
  /** The post that ends the job got no answer: it is unknown whether Studio accepted it. */
  readonly unconfirmed?: boolean | undefined;
}

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

const failureReportSchema = z.object({
  reason: z.string(),
  /** The sentence that the job's user reads. */
  explanation: z.string(),
});

/** In UTF-16 units. */
export const longestTitle = 120;

/** Bounds text as it enters a row and as it leaves it. */
const textOf = (max: number) => z.string().transform((text) => oneLine(text, max));

export const cancellationSchema = z.object({
  /** Who cancelled the run, as Studio's user may read it. */
  by: textOf(80),
  why: textOf(200).optional(),
  atMs: z.number(),
});

/** Raised when an older release could not read a row correctly (docs/upgrading.md). */
export const schemaVersion = 1;

/** A run's row. Times are epoch ms by our clock. */
export const runSchema = z.object({
  /** Rows of a newer release, left by a rollback, count as unreadable. */
  schemaVersion: z.number().max(schemaVersion).default(1),
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
  /** The lease's length as Studio grants it. */
  leaseMs: z.number().transform((ms) => Math.max(1, ms)),
  leaseExpiresAtMs: z.number(),
  /** When the current attempt's event was sent. */
  calledAtMs: z.number(),
  /** Starts: the first attempt, and every restart after a crash. */
  starts: z.number().default(1),
  /** Continuations: attempts that continued a healthy one. */
  continuations: z.number().default(0),
  /** Why earlier attempts crashed: codes, oldest first. */
  failures: z.array(z.string()).default([]),
  /** The pool, while the run is unfinished; absent afterwards. Key of the sparse index `open`. */
  openIn: z.string().optional(),
  invocationId: z.string().optional(),
  /** The platform's request id of that invocation; Lambda gives it to recovery. */
  requestId: z.string().optional(),
  beganAtMs: z.number().optional(),
  heartbeatAtMs: z.number().optional(),
  endedAtMs: z.number().optional(),
  /** Progress of an earlier run of the workspace: reused if it was for the same job. */
  inherited: inheritedSchema.optional(),
  /** These three: see `Outcome`. */
  reason: z.string().optional(),
  explanation: z.string().optional(),
  unconfirmed: z.boolean().optional(),
  rounds: z.number().default(0),
  /** Which job of the workspace this is (lib/attempt/job-digest.ts); absent before its context was read. */
  jobDigest: z.string().optional(),
  /**
   * Ids of the stored responses of the run's rounds, oldest first. Each is recorded as soon as it is known, so the last one
   * may still be generating. At most as many as the tool loop allows rounds.
   */
  responseIds: z.array(z.string()).default([]),
  /** The id of the response that summarizes earlier messages. */
  summaryResponseId: z.string().optional(),
  /** The stored responses could not be read once, and the job started over. */
  startedOver: z.boolean().default(false),
  /** The deliverables were sent: if the lease is gone now, their arrival probably ended it. */
  delivering: z.boolean().default(false),
  /** Studio refused the deliverables, and the model was asked to repair them. This happens once per run. */
  repaired: z.boolean().default(false),
  /** This failure report was sent, and the run cannot finish otherwise: if the lease is gone now, the report's arrival probably ended it. */
  reporting: failureReportSchema.optional(),
  /** An operator cancelled the run. Its attempt stops as soon as it sees this, and fails the job. */
  cancelled: cancellationSchema.optional().catch(undefined),
  model: z.string().optional(),
  /** Usage of this run alone. */
  usage: usageSchema.default(noUsage),
  /** Usage beside the rounds of `responseIds`: the summary, and rounds before the job started over. */
  usageBeside: usageSchema.default(noUsage),
  /** Usage of inherited rounds, which the earlier run reported. */
  usageBefore: usageSchema.default(noUsage),
  /** When the job's newest message was written, by our clock; absent before its context was read. */
  createdAtMs: z.number().optional(),
  /** The workspace's title; absent if it has none, and before its context was read. */
  title: textOf(longestTitle).optional().catch(undefined),
  /** Estimated cost of a finished run; absent if the model's price is unknown. */
  costUsd: z.number().optional(),
});

export type Inherited = Readonly<z.output<typeof inheritedSchema>>;
export type FailureReport = Readonly<z.output<typeof failureReportSchema>>;
export type Cancellation = Readonly<z.output<typeof cancellationSchema>>;
export type Run = Readonly<z.output<typeof runSchema>>;

export interface RunRef {
  readonly pool: string;
  readonly runId: string;
}

export interface AttemptRef extends RunRef {
  readonly attempt: number;
}

/** Identifies the one invocation that may write for an attempt. A write that does not match is refused: superseded. */
export interface Fence extends AttemptRef {
  readonly invocationId: string;
}

/** What an invocation finds when it proves that the run is its own. */
export interface Held {
  readonly cancelled: Cancellation | undefined;
}

export const heldIn = (item: Item): Held => ({
  cancelled: runSchema.shape.cancelled.parse(item["cancelled"]),
});

type ProgressFields = Pick<
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
  | "title"
>;

/** Progress that an attempt writes to its row. What is undefined is not written. */
export type RunProgress = { readonly [Name in keyof ProgressFields]?: ProgressFields[Name] | undefined };

export const runItemId = (runId: string): string => `run#${runId}`;
export const runKey = ({ pool, runId }: RunRef): ItemKey => ({ pool, id: runItemId(runId) });

/** What is written when a run finishes. */
export interface FinishedRun extends Outcome {
  readonly progress?: RunProgress;
  readonly costUsd?: number | undefined;
  readonly atMs: number;
}

const keptForSeconds = 30 * 24 * 3600;

/** When DynamoDB may delete a row that was written last at this time (the table's time-to-live attribute, epoch seconds). */
export const expiryOf = (atMs: number): number => Math.floor(atMs / 1000) + keptForSeconds;

/** Empty if the row is not a valid run; `onUnreadable` gets the problem. */
export function readable(item: Item, onUnreadable: (problem: RunnerError) => void): readonly Run[] {
  const result = runSchema.safeParse(item);
  if (result.success) return [result.data];
  onUnreadable(notARun(item, result.error));
  return [];
}

/** @throws RunnerError `internal` if the row is not a valid run */
export function parseRun(item: Item): Run {
  const result = runSchema.safeParse(item);
  if (result.success) return result.data;
  throw notARun(item, result.error);
}

function notARun(item: Item, { issues }: z.ZodError): RunnerError {
  const fields = issues.map(({ path }) => path.join(".")).join(", ");
  return new RunnerError("internal", `the run store row ${String(item["id"])} is not a run: ${fields}`);
}
