import type { Disturbance } from "./disturb.ts";
import { faultKinds } from "./faults.ts";
import type { ChaosOptions } from "./options.ts";
import type { Stage } from "./stage.ts";
import type { Verdict } from "./verdict.ts";
import { countBy } from "./verdict.ts";

export interface Report extends Verdict {
  readonly seed: number;
  readonly elapsedMs: number;
  /** By what they hit, then by name. */
  readonly faults: Readonly<Record<string, ReadonlyMap<string, number>>>;
  /** Calls by service, those that went wrong included. */
  readonly calls: Readonly<Record<string, number>>;
  /** Invocations that ended in something else than an answer. */
  readonly endings: ReadonlyMap<string, number>;
  readonly invocations: Readonly<Record<"processor" | "dispatcher" | "settler", number>>;
  /** The functions' own log lines. */
  readonly lines: ReadonlyMap<string, number>;
  readonly studioSkewMs: number;
}

export function faultsOf(
  { studio, model, proxies }: Stage,
  disturbance: Disturbance,
): Pick<Report, "faults" | "calls"> {
  return {
    faults: {
      Studio: countBy(studio.faults.log().map(({ name, kind }) => name ?? kind)),
      model: countBy(
        model.faults.log().map(({ route, name, kind }) => `${route.split(" ")[0]} ${name ?? kind}`),
      ),
      DynamoDB: proxies.dynamodb.fired(),
      Lambda: proxies.lambda.fired(),
      "Secrets Manager": proxies.secretsManager.fired(),
      "processes, events, leases, keys": disturbance.done,
    },
    calls: {
      Studio: studio.requests().length,
      model: model.requests().length,
      DynamoDB: proxies.dynamodb.calls(),
      Lambda: proxies.lambda.calls(),
      "Secrets Manager": proxies.secretsManager.calls(),
    },
  };
}

/** Kinds of fault that never struck. */
export const unstruck = (faults: Report["faults"]): readonly string[] =>
  Object.entries(faultKinds).flatMap(([hit, names]) =>
    names.filter((name) => !faults[hit]?.has(name)).map((name) => `${hit}: ${name}`),
  );

type Row = readonly [name: string, value: string | number];

export function format(report: Report, options: ChaosOptions): string {
  const share = (part: number, whole: number): string =>
    whole === 0 ? "" : ` (${((100 * part) / whole).toFixed(1)} %)`;
  const faults = Object.entries(report.faults).flatMap(([hit, names]): readonly Row[] => {
    const all = [...names.values()].reduce((sum, count) => sum + count, 0);
    const calls = report.calls[hit];
    const head: Row = [hit, calls === undefined ? all : `${all} of ${calls} calls${share(all, calls)}`];
    return [head, ...[...names].toSorted().map(([name, count]): Row => [`  ${name}`, count])];
  });
  const { processor, dispatcher, settler } = report.invocations;
  const failures = [...report.failed].reduce((sum, [, count]) => sum + count, 0);
  const ratio =
    report.roundsNeeded === 0 ? "" : ` (${(report.roundsAsked / report.roundsNeeded).toFixed(4)} times)`;
  const rows: readonly Row[] = [
    ["Faults", ""],
    ...faults,
    ...unstruck(report.faults).map((name): Row => [`  never struck: ${name}`, 0]),
    ["  Studio's clock against ours", `${report.studioSkewMs / 1_000} s`],
    ["Invocations", `${processor} processors, ${dispatcher} dispatchers, ${settler} settlers`],
    ...[...report.endings].toSorted().map(([name, count]): Row => [`  ${name}`, count]),
    ["Jobs", report.jobs],
    ["  completed", report.completed],
    ["  failed with a reason", failures],
    ...[...report.failed].toSorted().map(([name, count]): Row => [`    ${name}`, count]),
    ["  returned to the queue, times", report.returned],
    ["  lost", report.lost],
    ["  completed twice", report.completedTwice],
    ["  still in the queue", report.stillQueued],
    ["Rounds asked of the model", `${report.roundsAsked} of ${report.roundsNeeded} needed${ratio}`],
    ["  generated twice, the lease having been taken away", report.askedAgain.taken],
    ["  generated twice for another reason", report.askedAgain.others],
    ["Posted after the loss of the lease", report.postedAfterLoss.length],
    ["Runs left open in the ledger", report.openRuns],
    ["Runs closed in the ledger, and counted in metrics", `${report.closed}, ${report.counted}`],
    ["Seed", options.seed],
    ["Time", `${(report.elapsedMs / 1_000).toFixed(0)} s`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join("\n");
  const details = [...report.postedAfterLoss, ...report.repeated].map((one) => `  ${JSON.stringify(one)}`);
  const verdict =
    report.broken.length === 0
      ? ["Every bound holds."]
      : ["BROKEN:", ...report.broken.map((one) => `  ${one}`)];
  return [table, ...details, "", ...verdict].join("\n");
}

/** Maps as objects. */
export const toJson = (report: Report): string =>
  JSON.stringify(
    report,
    (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value),
    2,
  );
