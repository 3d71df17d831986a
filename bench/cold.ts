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
} from "./ground.ts";
import { join } from "node:path";
import { statSync } from "node:fs";
import { startHost } from "./host-client.ts";
import { leaseOne } from "./leases.ts";
import { median, rounded } from "./stats.ts";

export interface ColdRow {
  readonly name: "dispatch" | "process";
  readonly bytes: number;
  readonly plainBytes: number;
  /** Largest first. */
  readonly packages: readonly { readonly name: string; readonly bytes: number }[];
  /** From the process's start until its handler is there, and until its first real call has been answered. Milliseconds. */
  readonly emptyReadyMs: number;
  readonly readyMs: number;
  readonly plainReadyMs: number;
  readonly doneMs: number;
  readonly plainDoneMs: number;
  /** Ours against the plain bundle's, first call included. */
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

/** Fresh processes, ours and the plain ones by turns; medians. */
export async function cold(
  built: Built,
  { isShort }: { readonly isShort: boolean },
): Promise<readonly ColdRow[]> {
  const others = await startOthers(0);
  const aws = await startAws(built, others.runnerKey);
  try {
    const rows: ColdRow[] = [];
    for (const subject of subjects)
      rows.push(await measure(built, { others, aws, rounds: isShort ? 5 : 15 }, subject));
    return rows;
  } finally {
    await Promise.all([aws.close(), others.close()]);
  }
}

interface Scene {
  readonly others: Others;
  readonly aws: Aws;
  readonly rounds: number;
}

async function measure(built: Built, scene: Scene, subject: Subject): Promise<ColdRow> {
  const fn = functionOf(built, subject.part);
  const ours = join(fn.codeFolder, "index.js");
  const plain = built.bundles[subject.name];
  const overrides = { ...addressesOf(scene.others), RUNNER_PICKUP: "economy" };
  const env = scene.aws.variables(fn, overrides);
  const start = async (file: string) => {
    const event = await subject.event(scene.others, scene.aws);
    const host = startHost({ folder: built.folder, file, env });
    try {
      return await host.invoke({ event, timeoutMs: fn.timeoutMs });
    } finally {
      await host.close();
    }
  };
  const starts: { readonly empty: number; readonly ours: Start; readonly plain: Start }[] = [];
  for (let round = 0; round <= scene.rounds; round++) {
    const [empty, own, other] = [await start(built.bundles.empty), await start(ours), await start(plain)];
    // The first of each brings the files into the page cache.
    if (round > 0) starts.push({ empty: empty.readyMs, ours: own, plain: other });
  }
  const size = await measureBundle(subject.name);
  const doneMs = median(starts.map((one) => one.ours.endedMs));
  const plainDoneMs = median(starts.map((one) => one.plain.endedMs));
  return {
    name: subject.name,
    bytes: size.bytes,
    plainBytes: statSync(plain).size,
    packages: size.packages.slice(0, 8),
    emptyReadyMs: rounded(median(starts.map((one) => one.empty))),
    readyMs: rounded(median(starts.map((one) => one.ours.readyMs))),
    plainReadyMs: rounded(median(starts.map((one) => one.plain.readyMs))),
    doneMs: rounded(doneMs),
    plainDoneMs: rounded(plainDoneMs),
    ratio: rounded(doneMs / plainDoneMs, 2),
  };
}

interface Start {
  readonly readyMs: number;
  readonly endedMs: number;
}
