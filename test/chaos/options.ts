import { parseArgs } from "node:util";
import { jobKinds, type JobKind } from "./jobs.ts";
import { allKinds, faultKinds, isFaultKind, type FaultKind } from "./kinds.ts";

export interface ChaosOptions {
  readonly jobs: number;
  readonly kinds: readonly JobKind[];
  readonly seed: number;
  /** Share of the calls to Studio, model, run store, Lambda and Secrets Manager that fail. */
  readonly faultRate: number;
  /** Share of the invocations of processors and dispatchers that are killed. */
  readonly killRate: number;
  /** The kinds of fault to apply. */
  readonly only: ReadonlySet<FaultKind>;
  /** The maximum number of runs in flight. */
  readonly concurrency: number;
  /** The processor's timeout. */
  readonly attemptSeconds: number;
  readonly leaseMs: number;
  /** Faults stop when every job has ended, and at the latest after this time. */
  readonly limitMs: number;
  /** The file for every event of the cloud, one JSON object per line. */
  readonly eventsFile: string | undefined;
}

export const usage = (): string => `Breaks the local stack on purpose and counts what came of its jobs.

  npm run chaos -- --jobs 1000

Flags
  --jobs N          default 1000
  --seed N          of the plan of faults and jobs; default: a random one, printed
  --fault-rate R    share of calls that go wrong (default 0.1)
  --kill-rate R     share of processes that are killed (default 0.05)
  --only KIND,…     these kinds of fault and no others (default all)
  --concurrency N   runs in flight (default 12)
  --events FILE     writes every event of the local cloud there
  --json            prints the report as JSON
  --help            this text

Kinds of fault, at a fault rate of 0.1 and a kill rate of 0.05; other rates scale them
${kindsInWords()}
The result: no job is lost, completed twice or given another job's answer; nothing is posted after a loss, by a
superseded attempt, or without a fresh write in the run store; each run's outcome is what Studio knows of it; no round
is asked of the model again but where a process broke or a lease was really taken away; no process calls in a hot loop.
`;

/** In lines of at most 120 characters. */
function kindsInWords(): string {
  const indent = " ".repeat(20);
  const wrap = (text: string): string => text.replace(/(.{1,98})(?: |$)/g, `$1\n${indent}`).trimEnd();
  return Object.entries(faultKinds)
    .map(([name, words]) => `  ${name.padEnd(indent.length - 2)}${wrap(words)}\n`)
    .join("");
}

/** @throws TypeError that names the flag */
export function parseOptions(
  args: readonly string[],
  random: () => number,
): (ChaosOptions & { json: boolean }) | "help" {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: text,
      seed: text,
      "fault-rate": text,
      "kill-rate": text,
      only: text,
      concurrency: text,
      events: text,
      json: flag,
      help: flag,
    },
  });
  if (values.help) return "help";
  const jobs = whole("--jobs", values.jobs ?? "1000", { min: 1, max: 100_000 });
  return {
    ...chaosOf(jobs),
    seed: whole("--seed", values.seed ?? String(Math.floor(random() * 1e9)), { min: 0, max: 2 ** 31 }),
    faultRate: number("--fault-rate", values["fault-rate"] ?? "0.1", { min: 0, max: 0.5 }),
    killRate: number("--kill-rate", values["kill-rate"] ?? "0.05", { min: 0, max: 0.5 }),
    only: values.only === undefined ? new Set(allKinds) : kindsOf(values.only),
    concurrency: whole("--concurrency", values.concurrency ?? "12", { min: 1, max: 64 }),
    eventsFile: values.events,
    json: values.json ?? false,
  };
}

/** The default options, with which a run of `jobs` jobs takes minutes. */
export function chaosOf(jobs: number): ChaosOptions {
  return {
    jobs,
    kinds: jobKinds,
    seed: 1,
    faultRate: 0.1,
    killRate: 0.05,
    only: new Set(allKinds),
    concurrency: 12,
    attemptSeconds: 8,
    leaseMs: 15_000,
    limitMs: 120_000 + jobs * 1_500,
    eventsFile: undefined,
  };
}

function kindsOf(list: string): ReadonlySet<FaultKind> {
  const names = list.split(",");
  const unknown = names.find((name) => !isFaultKind(name));
  if (unknown !== undefined)
    throw new TypeError(`--only takes kinds of fault, and "${unknown}" is none: ${allKinds.join(", ")}`);
  return new Set(names.filter(isFaultKind));
}

interface Range {
  readonly min: number;
  readonly max: number;
}

function whole(name: string, text: string, range: Range): number {
  const value = number(name, text, range);
  if (Number.isInteger(value)) return value;
  throw new TypeError(`${name} takes a whole number, not "${text}"`);
}

function number(name: string, text: string, { min, max }: Range): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= min && value <= max) return value;
  throw new TypeError(`${name} takes a number from ${min} to ${max}, not "${text}"`);
}
