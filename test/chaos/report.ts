import type { Disturbance } from "./disturb.ts";
import { deedsTitle, namedFaults } from "./faults.ts";
import type { ChaosOptions } from "./options.ts";
import { countBy, type ChaosOutcome } from "./outcome.ts";
import type { Stage } from "./stage.ts";

export interface Report extends ChaosOutcome {
  /** By what they hit, then by name. */
  readonly faults: Readonly<Record<string, ReadonlyMap<string, number>>>;
  /** Calls by service, including those that failed. */
  readonly calls: Readonly<Record<string, number>>;
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
      [deedsTitle]: disturbance.done(),
    },
    calls: {
      Studio: studio.requests().length,
      model: model.requests().length,
      DynamoDB: proxies.dynamodb.calls().length,
      Lambda: proxies.lambda.calls().length,
      "Secrets Manager": proxies.secretsManager.calls().length,
    },
  };
}

/** Faults that should have been applied and never were. */
export const unstruck = (
  faults: Report["faults"],
  { only, faultRate, killRate }: Pick<ChaosOptions, "only" | "faultRate" | "killRate">,
): readonly string[] => [
  ...new Set(
    namedFaults
      .filter(({ kind }) => only.has(kind) && (kind === "kills" ? killRate : faultRate) > 0)
      .filter(({ hit, name }) => !faults[hit]?.has(name))
      .map(({ hit, name }) => `${hit}: ${name}`),
  ),
];

type Row = readonly [name: string, value: string | number];

export function format(report: Report, options: ChaosOptions): string {
  const indented = (counts: ReadonlyMap<string, number>): readonly Row[] =>
    [...counts].toSorted().map(([name, count]): Row => [`  ${name}`, count]);
  const total = (counts: ReadonlyMap<string, number>): number =>
    [...counts.values()].reduce((sum, count) => sum + count, 0);
  const rows: readonly Row[] = [
    ...Object.entries(report.faults).flatMap(([hit, names]): readonly Row[] => {
      const calls = report.calls[hit];
      const all = calls === undefined ? total(names) : `${total(names)} of ${calls} calls`;
      return [[`Faults: ${hit}`, all], ...indented(names)];
    }),
    ...unstruck(report.faults, options).map((name): Row => [`  never struck: ${name}`, 0]),
    ["Jobs", report.jobs],
    ["Completed", report.completed],
    ["Failed with a reason", total(report.failed)],
    ...indented(report.failed),
    ...Object.entries(report.measures),
    ...Object.entries(report.bounds).map(([bound, found]): Row => [`Bound: ${bound}`, found.length]),
    ["Seed", options.seed],
  ];
  const width = Math.min(widestName, Math.max(...rows.map(([name]) => name.length)));
  const details = Object.entries(report.bounds).flatMap(([bound, found]) => [
    ...(found.length === 0 ? [] : ["", `BROKEN: ${found.length} ${bound}`]),
    ...found.slice(0, mostDetails).map((one) => `  ${JSON.stringify(one)}`),
  ]);
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...(report.broken.length === 0 ? ["", "Every bound holds."] : details),
  ].join("\n");
}

const mostDetails = 12;
/** A longer name moves only its own number to the right. */
const widestName = 64;
