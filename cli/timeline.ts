import { explainFailure } from "../lib/attempt/attempt-failure.ts";
import { printable } from "../lib/core/text.ts";
import type { Cancellation, Run } from "../lib/runs/run.ts";
import type { StackContext } from "./context.ts";
import { markInvented } from "./canned-model.ts";
import { count, formatDuration, formatUsd } from "./format.ts";
import type { FoundRuns } from "./job-ids.ts";
import { filterFor, toReadableLine, type ReadableLine } from "./log-lines.ts";
import { roles, type Role, type StackPool } from "./stack.ts";

/** Log lines are written slightly before the lease is recorded and after the run is finished. */
const marginMs = 120_000;

export const noLogLines = "No log lines were found: they are kept for a limited time only.";

/** One thing that happened in a run, safe for a terminal. */
export interface Step {
  readonly atMs: number;
  readonly source: Role | "run store";
  readonly attempt: number | null;
  readonly event: string | null;
  readonly what: string;
  readonly tone: ReadableLine["tone"];
  /** The original fields of the log line behind the step; null: the run store's row is behind it. */
  readonly log: unknown;
}

export interface Timeline {
  readonly run: Run;
  readonly steps: readonly Step[];
  /** Every log line of the run, oldest first, including those that are no steps. */
  readonly lines: readonly ReadableLine[];
}

/**
 * What happened in a workspace's runs, oldest first, from the run store and from the logs of all functions.
 * @param hasLogs false: the logs cannot be read (`whyUnread`)
 */
export async function readTimelines(
  context: StackContext,
  { pool, runs }: FoundRuns,
  hasLogs: boolean,
): Promise<readonly Timeline[]> {
  const lines = hasLogs ? await readLines(context, pool, runs) : [];
  return runs.map((run) => timelineOf(run, lines));
}

/** Log lines of all functions about the runs' workspace, from the first lease to the last end. */
async function readLines(
  context: StackContext,
  pool: StackPool,
  runs: readonly [Run, ...Run[]],
): Promise<readonly ReadableLine[]> {
  const { logs } = await context.aws();
  const last = runs.at(-1) ?? runs[0];
  const query = {
    startMs: runs[0].leasedAtMs - marginMs,
    endMs: (last.endedAtMs ?? context.clock.now()) + marginMs,
    pattern: filterFor("workspaceId", runs[0].workspaceId),
    signal: context.signal,
  };
  const perRole = await Promise.all(
    roles.map(async (role) => {
      const group = pool.logGroups[role];
      if (group === undefined) return [];
      const records = await logs.records({ ...query, group });
      return records.flatMap((record) => toReadableLine(record, role) ?? []);
    }),
  );
  return perRole.flat();
}

function timelineOf(run: Run, lines: readonly ReadableLine[]): Timeline {
  const own = lines.filter(({ runId }) => runId === run.runId).toSorted((a, b) => a.atMs - b.atMs);
  const logSteps = own.filter(({ minor }) => !minor).map(stepOf);
  const steps = [...runStoreSteps(run), ...logSteps].toSorted((a, b) => a.atMs - b.atMs);
  return { run, steps, lines: own };
}

export const stepOf = ({
  atMs,
  function: source,
  attempt,
  event,
  what,
  tone,
  fields,
}: ReadableLine): Step => ({
  atMs,
  source,
  attempt: attempt ?? null,
  event: event ?? null,
  what,
  tone,
  log: fields,
});

/** Steps from the run store, so that the timeline is complete even if the logs have expired. */
function runStoreSteps(run: Run): readonly Step[] {
  const step = (atMs: number, what: string, tone: Step["tone"] = "plain"): Step => ({
    atMs,
    source: "run store",
    attempt: null,
    event: null,
    what,
    tone,
    log: null,
  });
  const {
    leasedAtMs,
    keyId,
    heartbeatAtMs,
    endedAtMs,
    state,
    reason,
    createdAtMs,
    leaseExpiresAtMs,
    cancelled,
  } = run;
  return [
    ...(createdAtMs === undefined ? [] : [step(createdAtMs, "the job's newest message was written")]),
    step(leasedAtMs, `the run is created under a lease of ${formatDuration(run.leaseMs)}, key ${keyId}`),
    ...(cancelled === undefined ? [] : [step(cancelled.atMs, cancelledWords(cancelled), "bad")]),
    ...(endedAtMs === undefined && heartbeatAtMs !== undefined
      ? [step(heartbeatAtMs, "the newest heartbeat")]
      : []),
    ...(endedAtMs === undefined
      ? [step(leaseExpiresAtMs, "the lease ends, unless a heartbeat renews it")]
      : [step(endedAtMs, `the run is finished: ${state}, ${reason ?? "no reason"}`, toneOfEnd(state))]),
  ];
}

const cancelledWords = ({ by, why }: Cancellation): string =>
  printable(`cancelled by ${by}${why === undefined ? "" : `: ${why}`}`);

const toneOfEnd = (state: Run["state"]): Step["tone"] => (state === "completed" ? "good" : "bad");

/** "Reason: model_refused: …" */
export function whyOf({ reason = "", explanation = explainFailure(reason), failures }: Run): string {
  const earlier = failures.length === 0 ? "" : `  (earlier attempts: ${failures.join(", ")})`;
  return printable(`Reason: ${reason}${explanation === undefined ? "" : `: ${explanation}`}${earlier}`);
}

/** "1.8 s, 1 attempt, 3 rounds, gpt-5, 12000 tokens in, 900 out, $0.004" */
export function factsOf({ attempt, rounds, model, usage, costUsd, leasedAtMs, endedAtMs }: Run): string {
  const parts = [
    ...(endedAtMs === undefined ? [] : [formatDuration(endedAtMs - leasedAtMs)]),
    count(attempt, "attempt"),
    count(rounds, "round"),
    ...(model === undefined ? [] : [model]),
    `${usage.inputTokens} tokens in, ${usage.outputTokens} out`,
    ...(costUsd === undefined ? [] : [markInvented(formatUsd(costUsd), model)]),
  ];
  return printable(parts.join(", "));
}
