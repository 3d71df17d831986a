import { awsPrices } from "../infra/dated-table.ts";
import { memoryVariables } from "../infra/runner-function.ts";
import { vcpuMemoryMb } from "./bills.ts";
import { addressesOf, functionOf, startAws, startFunction, startOthers, type Built } from "./fixture.ts";
import { leaseOne } from "./leases.ts";
import { median, percentile, rounded } from "./stats.ts";

export interface MemoryRow {
  readonly memoryMb: number;
  /**
   * Median time from event to answer with a model that answers at once: the time that the runner adds to a
   * job.
   */
  readonly addedP50Ms: number;
  readonly addedP95Ms: number;
  /** Peak memory of the whole process. It does not fit if it exceeds `memoryMb`. */
  readonly peakMemoryMb: number;
  /** The cost of Lambda's compute for 1,000 jobs, by the model's latency in seconds. */
  readonly computeUsd: Readonly<Record<string, number>>;
}

const sizes = [128, 192, 256, 512, 1_024] as const;
const modelSeconds = [10, 60, 300] as const;

/** Measures one warm processor of each size, limited to Lambda's share of a CPU. */
export async function memory(
  built: Built,
  { isShort }: { readonly isShort: boolean },
): Promise<readonly MemoryRow[]> {
  const rows: MemoryRow[] = [];
  for (const memoryMb of isShort ? [256] : sizes)
    rows.push(await measure(built, { memoryMb, jobs: isShort ? 20 : 150 }));
  return rows;
}

async function measure(
  built: Built,
  { memoryMb, jobs }: { readonly memoryMb: number; readonly jobs: number },
): Promise<MemoryRow> {
  await using others = await startOthers(0);
  await using aws = await startAws(built, others.runnerKey);
  const fn = functionOf(built, "ProcessorRunner");
  const env = aws.variables(fn, { ...addressesOf(others), ...memoryVariables(memoryMb) });
  await using host = startFunction(built, fn, { env, cpuShare: Math.min(1, memoryMb / vcpuMemoryMb) });
  const addedMs: number[] = [];
  let peakMemoryMb = 0;
  const warmUp = Math.ceil(jobs / 3);
  for (let job = 0; job < warmUp + jobs; job++) {
    const reply = await host.invoke({ event: await leaseOne(others, aws), timeoutMs: fn.timeoutMs });
    if (job >= warmUp) addedMs.push(reply.durationMs);
    ({ peakMemoryMb } = reply);
  }
  const addedP50Ms = median(addedMs);
  const computeUsd = (seconds: number): number =>
    1_000 * (seconds + addedP50Ms / 1_000) * (memoryMb / 1_024) * awsPrices.compute.usd;
  return {
    memoryMb,
    addedP50Ms: rounded(addedP50Ms),
    addedP95Ms: rounded(percentile(addedMs, 0.95)),
    peakMemoryMb: rounded(peakMemoryMb),
    computeUsd: Object.fromEntries(modelSeconds.map((seconds) => [seconds, rounded(computeUsd(seconds), 3)])),
  };
}
