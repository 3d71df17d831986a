import {
  addressesOf,
  functionOf,
  startAws,
  startFunction,
  startOthers,
  type Aws,
  type Built,
  type Others,
} from "./fixture.ts";
import { startHost, type Host } from "./host-client.ts";
import { leaseOne } from "./leases.ts";
import { median, percentile, rounded, sum } from "./stats.ts";

export interface Overhead {
  readonly jobs: number;
  /** CPU time per job in a warm process, in milliseconds. */
  readonly cpuMs: number;
  readonly cpuP90Ms: number;
  /**
   * The same for a plain worker with the same packages and the same calls to Studio, the model and the run
   * store.
   */
  readonly plainCpuMs: number;
  readonly ratioToPlain: number;
  readonly peakMemoryMb: number;
  readonly plainPeakMemoryMb: number;
  /** Requests that the processor sends for one job. Does not include the dispatcher's lease call. */
  readonly requests: Readonly<Record<string, number>>;
  readonly studioRequests: number;
  readonly runStoreRequests: number;
  readonly modelRequests: number;
  readonly logLines: number;
  readonly logBytes: number;
}

const studioPaths = /Workspace/;
const runStoreActions = /^(?:Get|Put|Update|Delete)Item$|^Query$/;
const modelPaths = /\/responses/;

/** Runs jobs one after the other in a warm process, in blocks that alternate with the plain bundle. */
export async function overhead(built: Built, { isShort }: { readonly isShort: boolean }): Promise<Overhead> {
  await using others = await startOthers(0);
  await using aws = await startAws(built, others.runnerKey);
  const fn = functionOf(built, "ProcessorRunner");
  const env = aws.variables(fn, addressesOf(others));
  await using ours = startFunction(built, fn, { env });
  await using plain = startHost({ folder: built.folder, file: built.bundles.process, env });
  const fixture = { others, aws, timeoutMs: fn.timeoutMs };
  const [warmUpJobs, blocks] = isShort ? [100, 3] : [250, 20];
  for (const host of [ours, plain]) await attemptBlock(fixture, host, warmUpJobs);
  const runs: Compared[] = [];
  for (let block = 0; block < blocks; block++)
    runs.push({
      own: await attemptBlock(fixture, ours, blockJobs),
      plain: await attemptBlock(fixture, plain, blockJobs),
    });
  return summarize(runs);
}

const blockJobs = 40;

interface Fixture {
  readonly others: Others;
  readonly aws: Aws;
  readonly timeoutMs: number;
}

type Block = readonly Awaited<ReturnType<Host["invoke"]>>[];

/** A block of jobs of each kind, one directly after the other. */
interface Compared {
  readonly own: Block;
  readonly plain: Block;
}

const meanCpuMs = (block: Block): number => sum(block.map(({ cpuMs }) => cpuMs)) / block.length;

async function attemptBlock({ others, aws, timeoutMs }: Fixture, host: Host, jobs: number): Promise<Block> {
  const replies: Block[number][] = [];
  for (let job = 0; job < jobs; job++) {
    replies.push(await host.invoke({ event: await leaseOne(others, aws), timeoutMs }));
  }
  return replies;
}

function summarize(runs: readonly Compared[]): Overhead {
  const replies = runs.flatMap(({ own }) => own);
  const last = replies.at(-1);
  const requests = last?.requests ?? {};
  const countOf = (pattern: RegExp): number =>
    sum(Object.entries(requests).map(([name, count]) => (pattern.test(name) ? count : 0)));
  return {
    jobs: replies.length,
    cpuMs: rounded(median(runs.map(({ own }) => meanCpuMs(own))), 1),
    cpuP90Ms: rounded(
      percentile(
        replies.map(({ cpuMs }) => cpuMs),
        0.9,
      ),
      1,
    ),
    plainCpuMs: rounded(median(runs.map(({ plain }) => meanCpuMs(plain))), 1),
    // Compares each block with the block that ran directly after it.
    ratioToPlain: rounded(median(runs.map(({ own, plain }) => meanCpuMs(own) / meanCpuMs(plain))), 2),
    peakMemoryMb: rounded(last?.peakMemoryMb ?? 0),
    plainPeakMemoryMb: rounded(runs.at(-1)?.plain.at(-1)?.peakMemoryMb ?? 0),
    requests,
    studioRequests: countOf(studioPaths),
    runStoreRequests: countOf(runStoreActions),
    modelRequests: countOf(modelPaths),
    logLines: last?.lines ?? 0,
    logBytes: last?.logBytes ?? 0,
  };
}
