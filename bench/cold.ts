import { measureBundle } from "../infra/bundle-sizes.ts";
import type { FunctionName } from "../infra/bundle.ts";
import {
  addressesOf,
  functionOf,
  pool,
  startAws,
  startOthers,
  type Aws,
  type Built,
  type Others,
} from "./fixture.ts";
import { join } from "node:path";
import { statSync } from "node:fs";
import { vcpuMemoryMb } from "./bills.ts";
import type { QuotaKind } from "./cpu-quota.ts";
import { startHost } from "./host-client.ts";
import { leaseOne } from "./leases.ts";
import { median, rounded } from "./stats.ts";

export interface ColdRow {
  readonly name: "dispatch" | "process";
  readonly bytes: number;
  readonly plainBytes: number;
  /** Largest first. */
  readonly packages: readonly { readonly name: string; readonly bytes: number }[];
  /** How the first call was limited to its share of a CPU. */
  readonly quota: QuotaKind | undefined;
  readonly cpuShare: number;
  /** Milliseconds from the start of the process until its handler is loaded, with full CPU. */
  readonly emptyReadyMs: number;
  readonly readyMs: number;
  readonly plainReadyMs: number;
  /** Duration of the first real call, with the CPU share that the function's memory gives it. */
  readonly callMs: number;
  readonly plainCallMs: number;
  /** Start plus call, relative to the plain bundle. */
  readonly ratio: number;
}

interface Subject {
  readonly name: ColdRow["name"] & FunctionName;
  readonly part: "Dispatcher" | "ProcessorRunner";
  readonly event: (others: Others, aws: Aws) => Promise<unknown>;
}

const subjects: readonly Subject[] = [
  { name: "dispatch", part: "Dispatcher", event: async () => ({ pool }) },
  { name: "process", part: "ProcessorRunner", event: leaseOne },
];

/** Medians over new processes, alternating between the runner's bundles and the plain ones. */
export async function cold(
  built: Built,
  { isShort }: { readonly isShort: boolean },
): Promise<readonly ColdRow[]> {
  await using others = await startOthers(0);
  await using aws = await startAws(built, others.runnerKey);
  const rows: ColdRow[] = [];
  for (const subject of subjects)
    rows.push(await measure(built, { others, aws, rounds: isShort ? 5 : 15 }, subject));
  return rows;
}

interface Fixture {
  readonly others: Others;
  readonly aws: Aws;
  readonly rounds: number;
}

async function measure(built: Built, fixture: Fixture, subject: Subject): Promise<ColdRow> {
  const fn = functionOf(built, subject.part);
  const plain = built.bundles[subject.name];
  const overrides = { ...addressesOf(fixture.others), RUNNER_POLLING: "economy" };
  const env = fixture.aws.variables(fn, overrides);
  const cpuShare = Math.min(1, fn.memoryMb / vcpuMemoryMb);
  let quota: QuotaKind | undefined;
  const start = async (file: string): Promise<Start> => {
    const event = await subject.event(fixture.others, fixture.aws);
    await using host = startHost({ folder: built.folder, file, env, cpuShare });
    quota = await host.ready;
    const { readyMs, durationMs } = await host.invoke({ event, timeoutMs: fn.timeoutMs });
    return { readyMs, callMs: durationMs };
  };
  const starts: Readonly<Record<"empty" | "ours" | "plain", Start[]>> = { empty: [], ours: [], plain: [] };
  const files = { empty: built.bundles.empty, ours: join(fn.codeFolder, "index.js"), plain };
  for (let round = 0; round <= fixture.rounds; round++)
    for (const kind of ["empty", "ours", "plain"] as const) {
      const one = await start(files[kind]);
      // The first round only brings the files into the page cache.
      if (round > 0) starts[kind].push(one);
    }
  const of = (kind: keyof typeof starts, pick: (one: Start) => number): number =>
    median(starts[kind].map(pick));
  const whole = ({ readyMs, callMs }: Start): number => readyMs + callMs;
  const size = await measureBundle(subject.name);
  return {
    name: subject.name,
    bytes: size.bytes,
    plainBytes: statSync(plain).size,
    packages: size.packages.slice(0, 8),
    quota,
    cpuShare: rounded(cpuShare, 3),
    emptyReadyMs: rounded(of("empty", ({ readyMs }) => readyMs)),
    readyMs: rounded(of("ours", ({ readyMs }) => readyMs)),
    plainReadyMs: rounded(of("plain", ({ readyMs }) => readyMs)),
    callMs: rounded(of("ours", ({ callMs }) => callMs)),
    plainCallMs: rounded(of("plain", ({ callMs }) => callMs)),
    ratio: rounded(of("ours", whole) / of("plain", whole), 2),
  };
}

interface Start {
  readonly readyMs: number;
  readonly callMs: number;
}
