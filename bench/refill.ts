import type { PollingMode } from "../lib/core/options.ts";
import { startOthers, type Built } from "./fixture.ts";
import { startLive, runJobs } from "./live.ts";
import { callsOf } from "./requests.ts";
import { median, percentile, rounded } from "./stats.ts";

export interface RefillRow {
  readonly mode: PollingMode;
  readonly jobs: number;
  readonly concurrency: number;
  readonly modelLatencyMs: number;
  readonly studioLatencyMs: number;
  /** Seconds from the cycle's start to the last completion. */
  readonly seconds: number;
  /** jobs / concurrency × latency of the model. */
  readonly idealSeconds: number;
  /** Median time from a job's completion at Studio to the lease that fills its slot. */
  readonly p50Ms: number;
  readonly p95Ms: number;
}

const concurrency = 4;
const modelLatencyMs = 2_000;
const studioLatencyMs = 50;

/** A queue longer than the pool's concurrency, in the modes that poll least and most often. */
export async function refill(
  built: Built,
  { isShort }: { readonly isShort: boolean },
): Promise<readonly RefillRow[]> {
  const rows: RefillRow[] = [];
  for (const mode of ["economy", "fast"] as const) rows.push(await measure(built, mode, isShort ? 12 : 60));
  return rows;
}

async function measure(built: Built, mode: PollingMode, jobs: number): Promise<RefillRow> {
  await using others = await startOthers(modelLatencyMs);
  await using live = await startLive(built, others, { polling: mode, concurrency });
  await runJobs(live, others, concurrency * 2); // warms the processes up
  await others.delayStudio(studioLatencyMs);
  const startedAtMs = Date.now();
  await runJobs(live, others, jobs);
  const [completions, leases] = await Promise.all([
    callsOf(others, "/completeWorkspaceJob", startedAtMs),
    callsOf(others, "/leaseWorkspaceJob", startedAtMs),
  ]);
  // The first slots are free from the start. Each later lease follows a completion.
  const waits = leases
    .slice(concurrency)
    .map(({ answeredAt }, index) => answeredAt - (completions[index]?.answeredAt ?? 0));
  return {
    mode,
    jobs,
    concurrency,
    modelLatencyMs,
    studioLatencyMs,
    seconds: rounded(((completions.at(-1)?.answeredAt ?? 0) - startedAtMs) / 1000, 2),
    idealSeconds: rounded(((jobs / concurrency) * modelLatencyMs) / 1000, 2),
    p50Ms: rounded(median(waits)),
    p95Ms: rounded(percentile(waits, 0.95)),
  };
}
