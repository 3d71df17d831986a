import {
  addressesOf,
  functionOf,
  queueJobs,
  startAws,
  startOthers,
  type Built,
  type Others,
} from "./fixture.ts";
import { startHost } from "./host-client.ts";
import { ended, startLive, type Live } from "./live.ts";
import { rounded } from "./stats.ts";

export interface Drain {
  readonly jobs: number;
  readonly concurrency: number;
  readonly modelLatencyMs: number;
  readonly seconds: number;
  /** jobs / concurrency × latency, plus one polling interval. */
  readonly idealSeconds: number;
  readonly timeInQueueSeconds: number;
  readonly ratio: number;
  /** One job at a time, as the public runner works: measured over a few jobs and multiplied. */
  readonly oneByOneSeconds: number;
  readonly timesFaster: number;
}

const warmUpJobs = 4;

/**
 * A full queue, a warm stack, and a model that takes four seconds. With one second, the two cores would be
 * the limit instead of the runner, because all processes together use about 90 ms of CPU per job.
 */
export async function drain(built: Built, { isShort }: { readonly isShort: boolean }): Promise<Drain> {
  const [jobs, concurrency, modelLatencyMs] = isShort ? [40, 10, 1_000] : [500, 50, 4_000];
  await using others = await startOthers(modelLatencyMs);
  await using live = await startLive(built, others, { polling: "fast", concurrency });
  // Runs a few jobs in each process, so that V8 compiles the hot code.
  await Promise.all([live.cycle(), warmUp(live, others, concurrency)]);
  await live.cloud.idle();
  live.reset();
  await queueJobs(others, jobs);
  const startedAtMs = Date.now();
  const cycle = live.cycle();
  await ended(live, jobs);
  const seconds = (Date.now() - startedAtMs) / 1000;
  const timeInQueueSeconds = (Math.min(...live.beganAtMs.values()) - startedAtMs) / 1000;
  await cycle;
  const oneByOneSeconds = (await secondsPerJob(built, others, isShort ? 3 : 5)) * jobs;
  const idealSeconds = (jobs / concurrency) * (modelLatencyMs / 1000) + timeInQueueSeconds;
  return {
    jobs,
    concurrency,
    modelLatencyMs,
    seconds: rounded(seconds, 2),
    idealSeconds: rounded(idealSeconds, 2),
    timeInQueueSeconds: rounded(timeInQueueSeconds, 2),
    ratio: rounded(seconds / idealSeconds, 2),
    oneByOneSeconds: rounded(oneByOneSeconds),
    timesFaster: rounded(oneByOneSeconds / seconds),
  };
}

/**
 * Increases concurrency step by step, because dozens of processes that load at once would make the run store
 * wait for seconds.
 */
async function warmUp(live: Live, others: Others, concurrency: number): Promise<void> {
  const jobs = concurrency * warmUpJobs;
  for (let [queued, batch] = [0, 5]; queued < jobs; batch = Math.min(batch * 2, concurrency)) {
    await queueJobs(others, batch);
    queued += batch;
    await ended(live, queued);
  }
}

async function secondsPerJob(built: Built, others: Others, jobs: number): Promise<number> {
  await using aws = await startAws(built, others.runnerKey);
  const env = aws.variables(functionOf(built, "ProcessorRunner"), addressesOf(others));
  await using worker = startHost({ folder: built.folder, file: built.bundles.worker, env });
  await queueJobs(others, jobs + 1);
  await worker.invoke({ event: { jobs: 1 }, timeoutMs: 0 });
  return (await worker.invoke({ event: { jobs }, timeoutMs: 0 })).durationMs / 1000 / jobs;
}
