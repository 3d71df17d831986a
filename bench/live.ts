import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../lib/core/clock.ts";
import { startCloud } from "../local/cloud/cloud.ts";
import type { CloudEvent } from "../local/cloud/events.ts";
import type { LocalCloud } from "../local/cloud/local-cloud.ts";
import { parseLogLine } from "../lib/core/log-line.ts";
import { question } from "./leases.ts";
import { addressesOf, modelKey, pool, type Built, type Others } from "./fixture.ts";

/** The stack with its functions in processes of their own; cycles are opened by hand. */
export interface Live {
  readonly cloud: LocalCloud;
  /** Epoch ms at which the first attempt of a workspace's run began, by workspace id, as far as it has. */
  readonly beganAtMs: ReadonlyMap<string, number>;
  /** How each run of a workspace ended, in order: "completed", "failed" or "lost". */
  readonly ends: readonly string[];
  /** Forgets both. */
  reset(): void;
  /** Opens one dispatch cycle and resolves at its end. @throws Error when the dispatcher fails */
  cycle(): Promise<void>;
  close(): Promise<void>;
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
    close: () => cloud.stop({ graceMs: 0 }),
  };
}

interface Seen {
  readonly beganAtMs: Map<string, number>;
  readonly ends: string[];
}

function note({ beganAtMs, ends }: Seen, event: CloudEvent): void {
  if (event.kind !== "log" || !/attempt_began|run_ended/.test(event.line)) return;
  const line = parseLogLine(event.line);
  if (line?.message === "run_ended") ends.push(String(line.state));
  if (line?.message !== "attempt_began" || line.workspaceId === undefined) return;
  // When we read the line: a few milliseconds after it was written.
  beganAtMs.set(line.workspaceId, event.atMs);
}

/** Longer than one dispatch cycle, which has to lease them all. */
const longestMs = 90_000;

/** Resolves once so many jobs have been completed. @throws Error when one was not, or they take too long */
export async function ended({ ends }: Live, jobs: number): Promise<void> {
  for (const untilMs = Date.now() + longestMs; ends.length < jobs; await sleep(5))
    if (Date.now() > untilMs) throw new Error(`only ${ends.length} of ${jobs} jobs have ended`);
  if (ends.some((end) => end !== "completed")) throw new Error(`not every job completed: ${ends.join(", ")}`);
}

/** Queues so many jobs, and resolves when one cycle has leased them and all have been completed. */
export async function workOff(live: Live, { queue }: Others, jobs: number): Promise<void> {
  live.reset();
  for (let job = 0; job < jobs; job++) await queue(question);
  const cycle = live.cycle();
  await ended(live, jobs);
  await cycle;
}
