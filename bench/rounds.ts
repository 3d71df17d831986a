import * as z from "zod";
import { addressesOf, functionOf, startAws, startOthers, type Built, type Others } from "./fixture.ts";
import { startHost } from "./host-client.ts";
import { question } from "./leases.ts";
import { startLive, workOff } from "./live.ts";
import { call } from "./servers/client.ts";
import { median, percentile, rounded } from "./stats.ts";

export interface RoundsRow {
  readonly jobs: number;
  readonly concurrency: number;
  readonly roundMs: number;
  /** How many times shorter the rounds are than in reality, which increases the weight of the overhead. */
  readonly scaledBy: number;
  /** Seconds from queueing the first job to the last completion at Studio. */
  readonly seconds: number;
  /**
   * The same for as many processes with the public worker's loop, each of which takes a job when it has none.
   */
  readonly peerSeconds: number;
  /** jobs / concurrency x rounds x latency of the model. */
  readonly idealSeconds: number;
  readonly ratioToIdeal: number;
  readonly ratioToPeer: number;
  /**
   * Median time from a round's end at the model to the next request there, or to the completion at Studio.
   */
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

/** Works off the same queue with the runner and with the public worker's loop, at the same concurrency. */
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
  const own = await ourSeconds(built, { jobs, latencyMs });
  const peerSeconds = await peersSeconds(built, { jobs, latencyMs });
  const idealSeconds = ((jobs / concurrency) * rounds * latencyMs) / 1_000;
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

async function ourSeconds(built: Built, { jobs, latencyMs }: Queue) {
  const others = await startOthers(latencyMs, rounds);
  const live = await startLive(built, others, { polling: "economy", concurrency });
  try {
    await workOff(live, others, concurrency * 2); // warms the processes up
    const startedAtMs = Date.now();
    await workOff(live, others, jobs);
    const completions = await completionsSince(others, startedAtMs);
    const asked = await askedSince(others, startedAtMs);
    return {
      seconds: (Math.max(...completions.map(({ atMs }) => atMs)) - startedAtMs) / 1_000,
      betweenMs: betweenRounds(asked, completions, latencyMs),
    };
  } finally {
    await live.close();
    await others.close();
  }
}

async function peersSeconds(built: Built, { jobs, latencyMs }: Queue): Promise<number> {
  const others = await startOthers(latencyMs, rounds);
  const aws = await startAws(built, others.runnerKey);
  const env = aws.variables(functionOf(built, "ProcessorRunner"), addressesOf(others));
  const workers = Array.from({ length: concurrency }, () =>
    startHost({ folder: built.folder, file: built.bundles.worker, env }),
  );
  const workersTake = (each: number) =>
    Promise.all(workers.map((worker) => worker.invoke({ event: { jobs: each }, timeoutMs: 0 })));
  try {
    for (let job = 0; job < concurrency * 2; job++) await others.queue(question);
    await workersTake(2); // warms the processes up
    const startedAtMs = Date.now();
    for (let job = 0; job < jobs; job++) await others.queue(question);
    await workersTake(jobs);
    const completions = await completionsSince(others, startedAtMs);
    return (Math.max(...completions.map(({ atMs }) => atMs)) - startedAtMs) / 1_000;
  } finally {
    await Promise.all([...workers.map((worker) => worker.close()), aws.close(), others.close()]);
  }
}

const studioEntries = z.array(
  z.object({
    path: z.string(),
    at: z.number(),
    jobId: z.number().optional(),
    workspaceId: z.string().optional(),
    answeredAt: z.number().default(0),
  }),
);

interface Completion {
  readonly atMs: number;
  /** When the completion was sent. */
  readonly askedAtMs: number;
}

async function completionsSince({ studio }: Others, fromMs: number): Promise<readonly Completion[]> {
  const entries = studioEntries.parse(await call("GET", `${studio.url}/_local/requests`));
  return entries
    .filter(({ path, jobId, at }) => path === "/completeWorkspaceJob" && jobId !== undefined && at >= fromMs)
    .map(({ answeredAt, at }) => ({ atMs: answeredAt, askedAtMs: at }));
}

const modelEntries = z.array(
  z.object({
    method: z.string(),
    path: z.string(),
    at: z.number(),
    previousResponseId: z.string().nullable(),
  }),
);

interface Asked {
  readonly atMs: number;
  readonly isFirst: boolean;
}

async function askedSince({ model }: Others, fromMs: number): Promise<readonly Asked[]> {
  const entries = modelEntries.parse(await call("GET", `${model.url.replace(/\/v1$/, "")}/_local/requests`));
  return entries
    .filter(({ method, path, at }) => method === "POST" && path.endsWith("/responses") && at >= fromMs)
    .map(({ at, previousResponseId }) => ({ atMs: at, isFirst: previousResponseId === null }));
}

/**
 * Each request ends a fixed time after it arrived. It is followed by the earliest remaining request or
 * completion after that end. With few jobs at a time, confusing two of them changes single values but not
 * their sum.
 */
function betweenRounds(
  asked: readonly Asked[],
  completions: readonly Completion[],
  latencyMs: number,
): readonly number[] {
  const ends = asked.map(({ atMs }) => atMs + latencyMs).toSorted((left, right) => left - right);
  const next = [
    ...asked.filter(({ isFirst }) => !isFirst).map(({ atMs }) => atMs),
    ...completions.map(({ askedAtMs }) => askedAtMs),
  ].toSorted((left, right) => left - right);
  return ends.map((endedAtMs, at) => (next[at] ?? endedAtMs) - endedAtMs);
}
