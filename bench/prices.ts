/**
 * US dollars in us-east-1, without free tiers, as read on `asOf` (aws.amazon.com: lambda, dynamodb, secrets-manager,
 * cloudwatch and eventbridge pricing). The one table of them: the cost part and the README's figures come from it.
 */
export const prices = {
  asOf: "2026-10-04",
  lambdaArmGbSecond: 0.0000133334,
  lambdaRequest: 0.2 / 1e6,
  schedulerInvocation: 1 / 1e6,
  dynamodbWriteUnit: 0.625 / 1e6,
  dynamodbReadUnit: 0.125 / 1e6,
  secretMonth: 0.4,
  secretCall: 0.05 / 1e4,
  metricMonth: 0.3,
  alarmMonth: 0.1,
  compositeAlarmMonth: 0.5,
  dashboardMonth: 3,
  logGb: 0.5,
} as const;

/** Lambda's free tier of each month, per account: GB-seconds and requests. */
export const freeTier = { gbSeconds: 400_000, requests: 1_000_000 } as const;

export const minutesPerMonth = 30 * 24 * 60;
