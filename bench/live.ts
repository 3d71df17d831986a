import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../lib/core/clock.ts";
import { startCloud } from "../local/cloud/cloud.ts";
import type { CloudEvent } from "../local/cloud/events.ts";
import type { LocalCloud } from "../local/cloud/local-cloud.ts";
import { parseLogLine } from "../cli/parse-log-line.ts";
import { addressesOf, modelKey, pool, queueJobs, type Built, type Others } from "./fixture.ts";

/** The stack with its functions in processes of their own. Dispatch cycles start on request only. */
export interface Live extends AsyncDisposable {
  readonly cloud: LocalCloud;
  /** When the first attempt of a workspace's run started, in epoch ms, by workspace id. */
  readonly beganAtMs: ReadonlyMap<string, number>;
  /** How the runs ended, in order: "completed", "failed" or "lost". */
  readonly ends: readonly string[];
  /** Clears `beganAtMs` and `ends`. */
  reset(): void;
  /** Runs one dispatch cycle. @throws Error if the dispatcher fails */
  cycle(): Promise<void>;
}

export interface LiveOptions {
  readonly polling: "economy" | "balanced" | "fast";
  readonly concurrency: number;
}

export async function startLive(
  { templateFile, stack }: Built,
  others: Others,
  { polling, concurrency }: LiveOptions,
): Promise<Live> {
  const seen: Seen = { beganAtMs: new Map(), ends: [] };
  const dispatcher = stack.functions.find(({ logicalId }) => logicalId.includes("Dispatcher"))?.name ?? "";
  const cloud = await startCloud({
    templateFile,
    clock: systemClock,
    secrets: { "*ModelKey*": modelKey, "*Keys*": others.runnerKey },
    variables: {
      ...addressesOf(others),
      RUNNER_POLLING: polling,
      RUNNER_CONCURRENCY: String(concurrency),
    },
    schedules: "off",
    accountConcurrency: concurrency + 20,
    onEvent: (event) => note(seen, event),
  });
  return {
    cloud,
    ...seen,
    reset: () => {
      seen.beganAtMs.clear();
      seen.ends.length = 0;
    },
    cycle: async () => {
      const { functionError, payload } = await cloud.invoke(
        dispatcher,
        { pool },
        { type: "RequestResponse" },
      );
      if (functionError !== undefined) throw new Error(`the dispatcher failed: ${payload}`);
    },
    [Symbol.asyncDispose]: () => cloud.stop({ graceMs: 0 }),
  };
}

interface Seen {
  readonly beganAtMs: Map<string, number>;
  readonly ends: string[];
}

function note({ beganAtMs, ends }: Seen, event: CloudEvent): void {
  if (event.kind !== "log" || !/attempt_started|run_ended/.test(event.line)) return;
  const line = parseLogLine(event.line);
  if (line?.message === "run_ended") ends.push(String(line.state));
  if (line?.message !== "attempt_started" || line.workspaceId === undefined) return;
  // The time when the line was read, a few milliseconds after it was written.
  beganAtMs.set(line.workspaceId, event.atMs);
}

/** Longer than one dispatch cycle, which has to lease all the jobs. */
const longestMs = 90_000;

/** Resolves when `jobs` jobs have been completed. @throws Error if one was not, or if they take too long */
export async function ended({ ends }: Live, jobs: number): Promise<void> {
  for (const untilMs = Date.now() + longestMs; ends.length < jobs; await sleep(5))
    if (Date.now() > untilMs) throw new Error(`only ${ends.length} of ${jobs} jobs have ended`);
  if (ends.some((end) => end !== "completed")) throw new Error(`not every job completed: ${ends.join(", ")}`);
}

/** Queues `jobs` jobs. Resolves when one cycle has leased them and all have been completed. */
export async function runJobs(live: Live, others: Others, jobs: number): Promise<void> {
  live.reset();
  await queueJobs(others, jobs);
  const cycle = live.cycle();
  await ended(live, jobs);
  await cycle;
}
