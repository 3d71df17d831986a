import { parseArgs } from "node:util";
import { jobKinds, type JobKind } from "./jobs.ts";

export interface ChaosOptions {
  readonly jobs: number;
  readonly kinds: readonly JobKind[];
  readonly seed: number;
  /** Share of the calls to Studio, model, ledger, Lambda and Secrets Manager that go wrong. */
  readonly faultRate: number;
  /** Share of the invocations of processors and dispatchers that are killed. */
  readonly killRate: number;
  /** Runs in flight. */
  readonly concurrency: number;
  /** The processor's time-out. */
  readonly legSeconds: number;
  readonly leaseMs: number;
  /** Faults stop when every job has ended, and after this at the latest. */
  readonly limitMs: number;
  /** Every event of the cloud is written here, a line of JSON each. */
  readonly eventsFile: string | undefined;
}

export const usage = `Breaks the local stack on purpose and counts what came of its jobs.

  npm run chaos -- --jobs 1000

Flags
  --jobs N          default 1000
  --seed N          of the plan of faults and jobs; default: a random one, printed
  --fault-rate R    share of calls that go wrong (default 0.1)
  --kill-rate R     share of processes that are killed (default 0.05)
  --concurrency N   runs in flight (default 12)
  --events FILE     writes every event of the local cloud there
  --json            prints the report as JSON
  --help            this text
`;

/** @throws TypeError naming the flag */
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
    concurrency: whole("--concurrency", values.concurrency ?? "12", { min: 1, max: 64 }),
    eventsFile: values.events,
    json: values.json ?? false,
  };
}

/** The common case: times in which a run of `jobs` fits into minutes. */
export function chaosOf(jobs: number): ChaosOptions {
  return {
    jobs,
    kinds: jobKinds,
    seed: 1,
    faultRate: 0.1,
    killRate: 0.05,
    concurrency: 12,
    legSeconds: 8,
    leaseMs: 15_000,
    limitMs: 120_000 + jobs * 1_500,
    eventsFile: undefined,
  };
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
