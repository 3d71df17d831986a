import { setTimeout as sleep } from "node:timers/promises";
import { pollingTimes } from "../lib/dispatch/polling.ts";
import type { PollingMode } from "../lib/core/options.ts";
import { timing } from "../lib/core/timing.ts";
import { startOthers, type Built, type Others } from "./fixture.ts";
import { startLive, type Live } from "./live.ts";
import { percentile, rounded } from "./stats.ts";

export interface PollingRow {
  readonly mode: PollingMode;
  readonly studioLatencyMs: number;
  readonly messages: number;
  /** Seconds from queueing a message at Studio to the start of its first attempt, within a cycle. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

interface Combination {
  readonly mode: PollingMode;
  readonly studioLatencyMs: number;
  readonly messages: number;
}

/**
 * Measures the modes in parallel: they wait most of the time, and about two jobs a second are little work.
 */
export async function polling(
  built: Built,
  { isShort }: { readonly isShort: boolean },
): Promise<readonly PollingRow[]> {
  const latenciesMs = isShort ? [50] : [5, 50, 150];
  const rows = latenciesMs.map(async (studioLatencyMs) => [
    ...(await Promise.all(
      (["fast", "balanced"] as const).map((mode) =>
        measure(built, { mode, studioLatencyMs, messages: isShort ? 10 : 100 }),
      ),
    )),
    await measure(built, { mode: "economy", studioLatencyMs, messages: isShort ? 5 : 20 }),
  ]);
  return (await Promise.all(rows)).flat();
}

async function measure(built: Built, combination: Combination): Promise<PollingRow> {
  const { mode, studioLatencyMs } = combination;
  await using others = await startOthers(0);
  await using live = await startLive(built, others, { polling: mode, concurrency: 10 });
  await others.delayStudio(studioLatencyMs);
  const seconds =
    mode === "economy"
      ? await byTheMinute(live, others, combination.messages)
      : await withinCycles(live, others, combination);
  const at = (share: number): number => rounded(percentile(seconds, share), 2);
  return { mode, studioLatencyMs, messages: seconds.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/**
 * Sends messages at random times within consecutive cycles. The first one finds cold processes and is not
 * counted.
 */
async function withinCycles(
  live: Live,
  others: Others,
  { mode, messages }: Combination,
): Promise<readonly number[]> {
  const seconds: Promise<number>[] = [];
  const { cycleMs } = pollingTimes[mode];
  while (seconds.length <= messages) {
    const closesAtMs = Date.now() + cycleMs;
    const cycle = live.cycle();
    await sleep(1_500);
    // The pause is longer than the one after a lease, so that most messages find the dispatcher in its idle
    // state.
    while (seconds.length <= messages && Date.now() < closesAtMs - 9_000) {
      await sleep(500 + Math.random() * 4_000);
      seconds.push(queueAndWait(live, others, cycle));
    }
    await cycle;
  }
  return (await Promise.all(seconds)).slice(1);
}

/** A cycle a minute: the message waits for its start, evenly spread over the minute, then for what is measured here. */
async function byTheMinute(live: Live, others: Others, messages: number): Promise<readonly number[]> {
  await oneCycle(live, others); // cold processes, not counted
  const ends: number[] = [];
  for (let message = 0; message < messages; message++) ends.push(await oneCycle(live, others));
  const minute = Array.from({ length: 60 }, (_, second) => second + 0.5);
  return ends.flatMap((end) => minute.map((waited) => (waited * timing.scheduleMs) / 60_000 + end));
}

/** Seconds from a cycle's start to the first attempt of a message that was waiting for it. */
async function oneCycle(live: Live, { queue }: Others): Promise<number> {
  const workspaceId = await queue();
  const sinceMs = Date.now();
  const cycle = live.cycle();
  const seconds = await secondsUntilBegun(live, { workspaceId, sinceMs, cycle });
  await cycle; // the next cycle must not find its lock
  return seconds;
}

async function queueAndWait(live: Live, { queue }: Others, cycle: Promise<void>): Promise<number> {
  const sinceMs = Date.now();
  return secondsUntilBegun(live, { workspaceId: await queue(), sinceMs, cycle });
}

interface Waiting {
  readonly workspaceId: string;
  readonly sinceMs: number;
  readonly cycle: Promise<void>;
}

async function secondsUntilBegun(live: Live, { workspaceId, sinceMs, cycle }: Waiting): Promise<number> {
  let failed: unknown;
  cycle.catch((error: unknown) => (failed = error));
  for (const limitMs = Date.now() + 70_000; Date.now() < limitMs;) {
    const beganAtMs = live.beganAtMs.get(workspaceId);
    if (beganAtMs !== undefined) return (beganAtMs - sinceMs) / 1000;
    if (failed !== undefined) throw failed;
    await sleep(5);
  }
  throw new Error("a message was not picked up");
}
