export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";
export type MissingData = "missing" | "ignore" | "breaching" | "notBreaching";

export interface AlarmRule {
  /** N */
  readonly evaluationPeriods: number;
  /** M of N */
  readonly datapointsToAlarm: number;
  readonly missingData: MissingData;
}

export interface Decision {
  readonly state: AlarmState;
  /** The number of values that were evaluated, including breaching ones. */
  readonly evaluated: number;
  readonly breaching: number;
}

/**
 * How many values CloudWatch looks at beyond the N that it needs. Its documentation gives no number, only an
 * example: 5 if N is 3.
 */
const extraPeriods = 2;

export const evaluationRange = ({ evaluationPeriods }: Pick<AlarmRule, "evaluationPeriods">): number =>
  evaluationPeriods + extraPeriods;

/**
 * Decides an alarm's state according to the tables in CloudWatch's documentation.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 * @param slots the evaluation range, oldest first: whether the value breaches, undefined if it is missing
 */
export function decide(
  rule: AlarmRule,
  slots: readonly (boolean | undefined)[],
  present: AlarmState,
): Decision {
  const { evaluationPeriods, datapointsToAlarm, missingData } = rule;
  const real = slots.filter((slot) => slot !== undefined).slice(-evaluationPeriods);
  const breaching = real.filter(Boolean).length;
  const decision = (state: AlarmState): Decision => ({ state, evaluated: real.length, breaching });
  const filled = missingData === "breaching" ? evaluationPeriods - real.length : 0;
  if (breaching + filled >= datapointsToAlarm) return decision("ALARM");
  // With enough values or one good value, missing values decide nothing.
  const enough = real.length === evaluationPeriods || breaching < real.length;
  if (enough || missingData === "breaching" || missingData === "notBreaching") return decision("OK");
  if (missingData === "ignore") return decision(present);
  // There are only breaching values, but too few. It is an alarm anyway once the oldest is at least M periods
  // old.
  const oldest = slots.indexOf(true);
  const age = oldest === -1 ? 0 : slots.length - oldest;
  return decision(age >= datapointsToAlarm ? "ALARM" : "INSUFFICIENT_DATA");
}
