import { printable } from "../lib/core/text.ts";
import type { Run } from "../lib/runs/run.ts";
import type { Context } from "./context.ts";
import { markInvented } from "./canned-model.ts";
import { count, formatDuration, formatUsd } from "./format.ts";
import type { FoundRuns } from "./job-ids.ts";
import { filterFor, toReadableLine, type ReadableLine } from "./log-lines.ts";
import { roles, type Role, type StackPool } from "./stack.ts";

/** Log lines are written slightly before the lease is recorded and after the run is finished. */
const marginMs = 120_000;

/** One thing that happened in a run, safe for a terminal. */
export interface Step {
  readonly atMs: number;
  readonly source: Role | "run store";
  readonly attempt: number | null;
  readonly event: string | null;
  readonly what: string;
  readonly tone: ReadableLine["tone"];
}

export interface Timeline {
  readonly run: Run;
  readonly steps: readonly Step[];
  readonly logLines: number;
}

/**
 * What happened in a workspace's runs, oldest first, from the run store and from the logs of all functions.
 * @param hasLogs false: the logs cannot be read (`whyUnread`)
 */
export async function readTimelines(
  context: Context,
  { pool, runs }: FoundRuns,
  hasLogs: boolean,
): Promise<readonly Timeline[]> {
  const lines = hasLogs ? await readLines(context, pool, runs) : [];
  return runs.map((run) => timelineOf(run, lines));
}

/** Log lines of all functions about the runs' workspace, from the first lease to the last end. */
async function readLines(
  context: Context,
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
  const own = lines.filter(({ runId, minor }) => runId === run.runId && !minor);
  const logSteps = own.map(({ atMs, function: source, attempt, event, what, tone }) => ({
    atMs,
    source,
    attempt: attempt ?? null,
    event: event ?? null,
    what,
    tone,
  }));
  const steps = [...runStoreSteps(run), ...logSteps].toSorted((a, b) => a.atMs - b.atMs);
  return { run, steps, logLines: own.length };
}

/** Steps from the run store, so that the timeline is complete even if the logs have expired. */
function runStoreSteps(run: Run): readonly Step[] {
  const step = (atMs: number, what: string, tone: Step["tone"] = "plain"): Step => ({
    atMs,
    source: "run store",
    attempt: null,
    event: null,
    what,
    tone,
  });
  const { leasedAtMs, keyId, heartbeatAtMs, endedAtMs, state, reason, createdAtMs, leaseExpiresAtMs } = run;
  return [
    ...(createdAtMs === undefined ? [] : [step(createdAtMs, "its newest message was written")]),
    step(leasedAtMs, `the run is created under a lease of ${formatDuration(run.leaseMs)}, key ${keyId}`),
    ...(endedAtMs === undefined && heartbeatAtMs !== undefined
      ? [step(heartbeatAtMs, "the newest heartbeat")]
      : []),
    ...(endedAtMs === undefined
      ? [step(leaseExpiresAtMs, "the lease ends, unless a heartbeat renews it")]
      : [step(endedAtMs, `the run is finished: ${state}, ${reason ?? "no reason"}`, toneOfEnd(state))]),
  ];
}

const toneOfEnd = (state: Run["state"]): Step["tone"] => (state === "completed" ? "good" : "bad");

/** "Reason: model_refused: …" */
export function whyOf({ reason, explanation, failures }: Run): string {
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
