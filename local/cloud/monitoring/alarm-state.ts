export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";
export type MissingData = "missing" | "ignore" | "breaching" | "notBreaching";

export interface AlarmRule {
  /** N */
  readonly evaluationPeriods: number;
  /** M of N */
  readonly datapointsToAlarm: number;
  readonly missingData: MissingData;
}

export interface Verdict {
  readonly state: AlarmState;
  /** Values that decided, breaching ones among them. */
  readonly evaluated: number;
  readonly breaching: number;
}

/**
 * How many values CloudWatch looks back for beyond the N that it needs. It says that there are some, and only by its
 * example how many: 5 where N is 3.
 */
const extraPeriods = 2;

export const evaluationRange = ({ evaluationPeriods }: Pick<AlarmRule, "evaluationPeriods">): number =>
  evaluationPeriods + extraPeriods;

/**
 * CloudWatch's decision, by the tables in its guide.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 * @param slots the evaluation range, oldest first: whether the value breaches, undefined where it is missing
 */
export function decide(
  rule: AlarmRule,
  slots: readonly (boolean | undefined)[],
  present: AlarmState,
): Verdict {
  const { evaluationPeriods, datapointsToAlarm, missingData } = rule;
  const real = slots.filter((slot) => slot !== undefined).slice(-evaluationPeriods);
  const breaching = real.filter(Boolean).length;
  const verdict = (state: AlarmState): Verdict => ({ state, evaluated: real.length, breaching });
  const filled = missingData === "breaching" ? evaluationPeriods - real.length : 0;
  if (breaching + filled >= datapointsToAlarm) return verdict("ALARM");
  // Enough values, a value that is in order, or gaps that count as such: what is missing decides nothing.
  const enough = real.length === evaluationPeriods || breaching < real.length;
  if (enough || missingData === "breaching" || missingData === "notBreaching") return verdict("OK");
  if (missingData === "ignore") return verdict(present);
  // Breaching values only, too few of them: an alarm all the same once the oldest has stood uncontradicted for M periods.
  const oldest = slots.indexOf(true);
  const age = oldest === -1 ? 0 : slots.length - oldest;
  return verdict(age >= datapointsToAlarm ? "ALARM" : "INSUFFICIENT_DATA");
}
