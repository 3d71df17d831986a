import type { Disturbance } from "./disturb.ts";
import { deedsTitle, namedFaults } from "./faults.ts";
import type { ChaosOptions } from "./options.ts";
import type { Stage } from "./stage.ts";
import type { ChaosOutcome } from "./outcome.ts";
import { countBy } from "./outcome.ts";

export interface Report extends ChaosOutcome {
  readonly seed: number;
  readonly elapsedMs: number;
  /** By what they hit, then by name. */
  readonly faults: Readonly<Record<string, ReadonlyMap<string, number>>>;
  /** Calls by service, including those that failed. */
  readonly calls: Readonly<Record<string, number>>;
  /** Invocations that ended other than with an answer. */
  readonly endings: ReadonlyMap<string, number>;
  readonly invocations: Readonly<Record<"processor" | "dispatcher" | "recovery", number>>;
  /** The functions' log lines, by event. */
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
  const share = (part: number, whole: number): string =>
    whole === 0 ? "" : ` (${((100 * part) / whole).toFixed(1)} %)`;
  const faults = Object.entries(report.faults).flatMap(([hit, names]): readonly Row[] => {
    const all = [...names.values()].reduce((sum, count) => sum + count, 0);
    const calls = report.calls[hit];
    const head: Row = [hit, calls === undefined ? all : `${all} of ${calls} calls${share(all, calls)}`];
    return [head, ...[...names].toSorted().map(([name, count]): Row => [`  ${name}`, count])];
  });
  const { processor, dispatcher, recovery } = report.invocations;
  const failures = [...report.failed].reduce((sum, [, count]) => sum + count, 0);
  const { asked, needed, again } = report.rounds;
  const times = (rounds: number): string => (rounds / Math.max(1, needed)).toFixed(4);
  const ratio = `${times(asked)} times; ${times(asked - again.taken)} apart from leases that were taken away`;
  const rows: readonly Row[] = [
    ["Faults", ""],
    ...faults,
    ...unstruck(report.faults, options).map((name): Row => [`  never struck: ${name}`, 0]),
    ["  Studio's clock against ours", `${report.studioSkewMs / 1_000} s`],
    ["Invocations", `${processor} processors, ${dispatcher} dispatchers, ${recovery} recoveries`],
    ...[...report.endings].toSorted().map(([name, count]): Row => [`  ${name}`, count]),
    ["Jobs", report.jobs],
    ["  completed", report.completed],
    ["  failed with a reason", failures],
    ...[...report.failed].toSorted().map(([name, count]): Row => [`    ${name}`, count]),
    ["  leased again, times", `${report.leasedAgain}, one job ${report.mostLeases} times`],
    ["  lost", report.lost],
    ["  still in the queue", report.stillQueued],
    ["  completed twice", report.completedTwice],
    ["  with another job's answer", report.wrongAnswers.length],
    ["Rounds asked of the model", `${asked} of ${needed} needed (${ratio})`],
    ["  asked again, the lease having been taken away", again.taken],
    ["  asked again for another reason", again.others],
    ["Posts", ""],
    ["  after the loss of the lease", report.postedAfterLoss.length],
    ["  by a superseded attempt", report.postedSuperseded.length],
    ["  without a fresh write in the run store", report.postedWithoutProof.length],
    ["Runs", ""],
    ["  closed, and counted in metrics", `${report.closed}, ${report.counted}`],
    ["  with another outcome than Studio knows", report.disagreements.length],
    ["  that gave up a lease that was still theirs", report.givenUp.length],
    ["  left open", report.openRuns],
    ["  whose row cannot be read", report.unreadableRows],
    ["Invocations that a bug ended", report.defects.length],
    ...report.busiest.map(({ service, calls }): Row => [
      `Most calls to ${service} by one process in a second`,
      calls,
    ]),
    ["Longest time that the pool was to hold back", `${(report.longestHoldMs / 1_000).toFixed(0)} s`],
    ["This process was held up at most for", `${(report.lagMs / 1_000).toFixed(1)} s`],
    ["Seed", options.seed],
    ["Time", `${(report.elapsedMs / 1_000).toFixed(0)} s`],
  ];
  const width = Math.min(widestName, Math.max(...rows.map(([name]) => name.length)));
  const table = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join("\n");
  const details = Object.entries(detailsOf(report)).flatMap(([title, all]) => [
    ...(all.length === 0 ? [] : ["", title]),
    ...all.slice(0, mostDetails).map((one) => `  ${JSON.stringify(one)}`),
    ...(all.length > mostDetails ? [`  and ${all.length - mostDetails} more`] : []),
  ]);
  const outcome =
    report.broken.length === 0
      ? ["Every bound holds."]
      : ["BROKEN:", ...report.broken.map((one) => `  ${one}`)];
  return [table, ...details, "", ...outcome].join("\n");
}

const mostDetails = 12;
/** A longer name moves only its own number to the right. */
const widestName = 64;

const detailsOf = (report: Report): Readonly<Record<string, readonly object[]>> => ({
  "Wrong answers": report.wrongAnswers,
  "Posted after the loss": report.postedAfterLoss,
  "Posted by a superseded attempt": report.postedSuperseded,
  "Posted without a fresh write": report.postedWithoutProof,
  "Other outcomes than Studio's": report.disagreements,
  "Leases given up": report.givenUp,
  Bugs: [...countBy(report.defects)].map(([error, times]) => ({ error, times })),
  "Asked again": report.rounds.repeated,
});

/** Writes maps as objects. */
export const toJson = (report: Report): string =>
  JSON.stringify(
    report,
    (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value),
    2,
  );
