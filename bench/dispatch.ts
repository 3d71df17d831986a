import * as z from "zod";
import {
  addressesOf,
  functionOf,
  pool,
  startAws,
  startFunction,
  startOthers,
  type Built,
} from "./fixture.ts";
import { rounded } from "./stats.ts";

export interface DispatchRow {
  readonly studioLatencyMs: number;
  readonly leased: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** The dispatcher's CPU time per lease, in milliseconds. */
  readonly cpuMsPerLease: number;
  /** Peak memory of the dispatcher's process at the end of the burst. */
  readonly peakMemoryMb: number;
}

const studioLatenciesMs = [5, 50, 150] as const;

const summarySchema = z.object({ leased: z.number() });

/**
 * One warm dispatcher empties a long queue in one cycle. There are fewer jobs than the pool may run at once,
 * so that it does not wait for jobs to end.
 */
export async function dispatch(
  built: Built,
  { isShort }: { readonly isShort: boolean },
): Promise<readonly DispatchRow[]> {
  const rows: DispatchRow[] = [];
  for (const studioLatencyMs of isShort ? [50] : studioLatenciesMs) {
    rows.push(await measure(built, { studioLatencyMs, jobs: isShort ? 300 : 900 }));
  }
  return rows;
}

interface Load {
  readonly studioLatencyMs: number;
  readonly jobs: number;
}

async function measure(built: Built, { studioLatencyMs, jobs }: Load): Promise<DispatchRow> {
  await using others = await startOthers(0);
  await using aws = await startAws(built, others.runnerKey);
  const fn = functionOf(built, "Dispatcher");
  const overrides = {
    ...addressesOf(others),
    RUNNER_POLLING: "economy",
    RUNNER_CONCURRENCY: String(10 * jobs),
  };
  const env = aws.variables(fn, overrides);
  await using host = startFunction(built, fn, { env });
  const cycle = { event: { pool }, timeoutMs: fn.timeoutMs };
  for (let job = 0; job < 60; job++) await others.queue();
  await host.invoke(cycle);
  for (let job = 0; job < jobs; job++) await others.queue();
  await others.delayStudio(studioLatencyMs);
  const reply = await host.invoke(cycle);
  const { leased } = summarySchema.parse(reply.result);
  const seconds = reply.durationMs / 1000;
  return {
    studioLatencyMs,
    leased,
    seconds: rounded(seconds, 2),
    perSecond: rounded(leased / seconds),
    cpuMsPerLease: rounded(reply.cpuMs / leased, 1),
    peakMemoryMb: rounded(reply.peakMemoryMb),
  };
}
