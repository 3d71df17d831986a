import { Command, InvalidArgumentError } from "commander";
import { jobKinds, type JobKind } from "./jobs.ts";
import { faultKinds, type FaultKind } from "./kinds.ts";

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
  readonly events?: string;
}

/** The default options, with which a run of `jobs` jobs takes minutes. */
export const chaosOf = (jobs: number): ChaosOptions => ({
  jobs,
  kinds: jobKinds,
  seed: Math.floor(Math.random() * 1e9),
  faultRate: 0.1,
  killRate: 0.05,
  only: new Set(faultKinds),
  concurrency: 12,
  attemptSeconds: 8,
  leaseMs: 15_000,
  limitMs: 120_000 + jobs * 1_500,
});

type Flags = Pick<ChaosOptions, "jobs"> & Partial<ChaosOptions>;

/** Ends the process after `--help`, and with an error if a flag is wrong. */
export function parseOptions(args: readonly string[]): ChaosOptions {
  const flags = new Command("npm run chaos --")
    .description("Breaks the local stack on purpose and counts what came of its jobs (docs/reliability.md).")
    .option("--jobs <n>", "number of jobs", numberFrom(1, 100_000), 1_000)
    .option("--seed <n>", "of the plan of faults and jobs; a random one is printed", numberFrom(0, 2 ** 31))
    .option("--fault-rate <r>", "share of calls that go wrong (default: 0.1)", numberFrom(0, 0.5))
    .option("--kill-rate <r>", "share of processes that are killed (default: 0.05)", numberFrom(0, 0.5))
    .option("--only <kinds>", `these kinds of fault and no others: ${faultKinds.join(",")}`, kindsOf)
    .option("--concurrency <n>", "runs in flight (default: 12)", numberFrom(1, 64))
    .option("--events <file>", "writes every event of the local cloud there")
    .parse([...args], { from: "user" })
    .opts<Flags>();
  return { ...chaosOf(flags.jobs), ...flags };
}

const numberFrom =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (value >= min && value <= max && (max < 1 || Number.isInteger(value))) return value;
    throw new InvalidArgumentError(`It takes a number from ${min} to ${max}.`);
  };

function kindsOf(text: string): ReadonlySet<FaultKind> {
  const names = text.split(",");
  const kinds = faultKinds.filter((kind) => names.includes(kind));
  if (kinds.length === names.length) return new Set(kinds);
  throw new InvalidArgumentError(`The kinds are ${faultKinds.join(", ")}.`);
}
