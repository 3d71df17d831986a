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
import { runJobs, startLive } from "./live.ts";
import { callsOf, roundsSince } from "./requests.ts";
import { median, percentile, rounded } from "./stats.ts";

export interface RoundsRow {
  readonly jobs: number;
  readonly concurrency: number;
  readonly roundMs: number;
  /** How many times shorter the rounds are than in reality, which increases the weight of the overhead. */
  readonly scaledBy: number;
  /** Seconds from queueing the first job to the last completion at Studio. */
  readonly seconds: number;
  /** The same for as many processes with the public worker's loop, each of which runs one job at a time. */
  readonly peerSeconds: number;
  /** jobs / concurrency × rounds × latency of the model. */
  readonly idealSeconds: number;
  readonly ratioToIdeal: number;
  readonly ratioToPeer: number;
  /** Median time from a round's end at the model to the next request there, or to the completion at Studio. */
  readonly betweenP50Ms: number;
  readonly betweenP95Ms: number;
}

const rounds = 3;
const concurrency = 4;
const runs = [
  { jobs: 40, roundMs: 500, scaledBy: 1 },
  { jobs: 8, roundMs: 5_000, scaledBy: 1 },
  { jobs: 8, roundMs: 30_000, scaledBy: 10 },
] as const;

/** Runs the same queue with the runner and with the public worker's loop, at the same concurrency. */
export async function roundsOf(
  built: Built,
  { isShort }: { readonly isShort: boolean },
): Promise<readonly RoundsRow[]> {
  const rows: RoundsRow[] = [];
  for (const run of isShort ? [{ jobs: 8, roundMs: 500, scaledBy: 1 }] : runs)
    rows.push(await measure(built, run));
  return rows;
}

async function measure(
  built: Built,
  { jobs, roundMs, scaledBy }: { readonly jobs: number; readonly roundMs: number; readonly scaledBy: number },
): Promise<RoundsRow> {
  const latencyMs = roundMs / scaledBy;
  const own = await measureRunner(built, { jobs, latencyMs });
  const peerSeconds = await measurePeers(built, { jobs, latencyMs });
  const idealSeconds = ((jobs / concurrency) * rounds * latencyMs) / 1000;
  return {
    jobs,
    concurrency,
    roundMs,
    scaledBy,
    seconds: rounded(own.seconds, 2),
    peerSeconds: rounded(peerSeconds, 2),
    idealSeconds: rounded(idealSeconds, 2),
    ratioToIdeal: rounded(own.seconds / idealSeconds, 3),
    ratioToPeer: rounded(own.seconds / peerSeconds, 3),
    betweenP50Ms: rounded(median(own.betweenMs)),
    betweenP95Ms: rounded(percentile(own.betweenMs, 0.95)),
  };
}

interface Queue {
  readonly jobs: number;
  readonly latencyMs: number;
}

async function measureRunner(built: Built, { jobs, latencyMs }: Queue) {
  await using others = await startOthers(latencyMs, rounds);
  await using live = await startLive(built, others, { polling: "economy", concurrency });
  await runJobs(live, others, concurrency * 2); // warms the processes up
  const startedAtMs = Date.now();
  await runJobs(live, others, jobs);
  return {
    seconds: await secondsToLastCompletion(others, startedAtMs),
    betweenMs: await betweenRounds(others, { fromMs: startedAtMs, latencyMs }),
  };
}

async function measurePeers(built: Built, { jobs, latencyMs }: Queue): Promise<number> {
  await using others = await startOthers(latencyMs, rounds);
  await using aws = await startAws(built, others.runnerKey);
  await using hosts = new AsyncDisposableStack();
  const env = aws.variables(functionOf(built, "ProcessorRunner"), addressesOf(others));
  const workers = Array.from({ length: concurrency }, () =>
    hosts.use(startHost({ folder: built.folder, file: built.bundles.worker, env })),
  );
  const workersTake = (each: number) =>
    Promise.all(workers.map((worker) => worker.invoke({ event: { jobs: each }, timeoutMs: 0 })));
  await queueJobs(others, concurrency * 2);
  await workersTake(2); // warms the processes up
  const startedAtMs = Date.now();
  await queueJobs(others, jobs);
  await workersTake(jobs);
  return await secondsToLastCompletion(others, startedAtMs);
}

const completionsOf = (others: Others, fromMs: number) => callsOf(others, "/completeWorkspaceJob", fromMs);

async function secondsToLastCompletion(others: Others, fromMs: number): Promise<number> {
  const last = (await completionsOf(others, fromMs)).at(-1);
  return ((last?.answeredAt ?? Number.NaN) - fromMs) / 1000;
}

/**
 * Each round ends a fixed time after the model was asked for it. It is followed by the earliest remaining
 * request or completion after that end. With few jobs at a time, confusing two of them changes single values
 * but not their sum.
 */
async function betweenRounds(
  others: Others,
  { fromMs, latencyMs }: { readonly fromMs: number; readonly latencyMs: number },
): Promise<readonly number[]> {
  const asked = await roundsSince(others, fromMs);
  const followers = [...asked.filter(({ isFirst }) => !isFirst), ...(await completionsOf(others, fromMs))];
  const nextMs = followers.map(({ at }) => at).toSorted((left, right) => left - right);
  const endsMs = asked.map(({ at }) => at + latencyMs).toSorted((left, right) => left - right);
  return endsMs.map((endMs, index) => (nextMs[index] ?? endMs) - endMs);
}
