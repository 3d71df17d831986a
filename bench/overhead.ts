import { join } from "node:path";
import {
  addressesOf,
  functionOf,
  startAws,
  startOthers,
  type Aws,
  type Built,
  type Others,
} from "./ground.ts";
import { startHost, type Host } from "./host-client.ts";
import { leaseJob, leaseOne } from "./leases.ts";
import { median, percentile, rounded, sum } from "./stats.ts";

export interface Overhead {
  readonly jobs: number;
  /** Of a warm process, per job. Milliseconds. */
  readonly cpuMs: number;
  readonly cpuP90Ms: number;
  /** Of a worker without ledger or fence that makes the same calls to Studio and to the model. */
  readonly workerCpuMs: number;
  readonly ratio: number;
  /** Of that worker with the same calls to the ledger, through the same packages. */
  readonly plainCpuMs: number;
  readonly ratioToPlain: number;
  readonly peakMemoryMb: number;
  readonly workerPeakMemoryMb: number;
  /** Sent by the processor for one job. The dispatcher's lease call is not among them. */
  readonly requests: Readonly<Record<string, number>>;
  readonly studioRequests: number;
  readonly ledgerRequests: number;
  readonly modelRequests: number;
  readonly logLines: number;
  readonly logBytes: number;
}

const studioPaths = /Workspace/;
const ledgerActions = /^(?:Get|Put|Update|Delete)Item$|^Query$/;
const modelPaths = /\/responses/;

/** One job after the other in a warm process, in blocks by turns with a worker of the plain kind. */
export async function overhead(built: Built, { isShort }: { readonly isShort: boolean }): Promise<Overhead> {
  const others = await startOthers(0);
  const aws = await startAws(built, others.runnerKey);
  const fn = functionOf(built, "ProcessorRunner");
  const env = aws.variables(fn, addressesOf(others));
  const { folder, bundles } = built;
  const ours = startHost({ folder, file: join(fn.codeFolder, "index.js"), env });
  const plain = startHost({ folder, file: bundles.process, env });
  const worker = startHost({ folder, file: bundles.worker, env });
  const scene = { others, aws, worker, timeoutMs: fn.timeoutMs };
  try {
    const [warmUpJobs, blocks] = isShort ? [100, 3] : [250, 20];
    for (const host of [ours, plain]) await legBlock(scene, host, warmUpJobs);
    await workerBlock(scene, warmUpJobs);
    const runs: Compared[] = [];
    for (let block = 0; block < blocks; block++) {
      const own = await legBlock(scene, ours, blockJobs);
      const { cpuMs } = await workerBlock(scene, blockJobs);
      const other = await legBlock(scene, plain, blockJobs);
      runs.push({ own, workerCpuMs: cpuMs / blockJobs, plainCpuMs: meanCpuMs(other) });
    }
    return summarize(runs, (await workerBlock(scene, 1)).peakMemoryMb);
  } finally {
    await Promise.all([ours.close(), plain.close(), worker.close(), aws.close(), others.close()]);
  }
}

const blockJobs = 40;

interface Scene {
  readonly others: Others;
  readonly aws: Aws;
  readonly worker: Host;
  readonly timeoutMs: number;
}

type Block = readonly Awaited<ReturnType<Host["invoke"]>>[];

/** One kind's block of jobs after the other's, each with its CPU per job. */
interface Compared {
  readonly own: Block;
  readonly workerCpuMs: number;
  readonly plainCpuMs: number;
}

const meanCpuMs = (block: Block): number => sum(block.map(({ cpuMs }) => cpuMs)) / block.length;

async function legBlock({ others, aws, timeoutMs }: Scene, host: Host, jobs: number): Promise<Block> {
  const replies: Block[number][] = [];
  for (let job = 0; job < jobs; job++) {
    replies.push(await host.invoke({ event: await leaseOne(others, aws), timeoutMs }));
  }
  return replies;
}

/** Its jobs have been leased for it, as the processor's have. */
async function workerBlock({ others, worker, timeoutMs }: Scene, jobs: number): Promise<Block[number]> {
  const workspaceIds: string[] = [];
  for (let job = 0; job < jobs; job++) workspaceIds.push(await leaseJob(others));
  return worker.invoke({ event: { workspaceIds }, timeoutMs });
}

function summarize(runs: readonly Compared[], workerPeakMemoryMb: number): Overhead {
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
    workerCpuMs: rounded(median(runs.map(({ workerCpuMs }) => workerCpuMs)), 1),
    plainCpuMs: rounded(median(runs.map(({ plainCpuMs }) => plainCpuMs)), 1),
    // Block against the block that ran right after it.
    ratio: rounded(median(runs.map(({ own, workerCpuMs }) => meanCpuMs(own) / workerCpuMs)), 2),
    ratioToPlain: rounded(median(runs.map(({ own, plainCpuMs }) => meanCpuMs(own) / plainCpuMs)), 2),
    peakMemoryMb: rounded(last?.peakMemoryMb ?? 0),
    workerPeakMemoryMb: rounded(workerPeakMemoryMb),
    requests,
    studioRequests: countOf(studioPaths),
    ledgerRequests: countOf(ledgerActions),
    modelRequests: countOf(modelPaths),
    logLines: last?.lines ?? 0,
    logBytes: last?.logBytes ?? 0,
  };
}
