import type { ServiceFault } from "./proxy.ts";

const resets = [
  { name: "reset before the effect", weight: 1, kind: "reset", when: "before" },
  { name: "reset after the effect", weight: 1, kind: "reset", when: "after" },
] as const;

const throttle = {
  name: "throttled",
  weight: 3,
  kind: "answer",
  status: 400,
  type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
} as const;

/** Faults of the AWS services, by service. */
export const serviceFaults = {
  dynamodb: [
    throttle,
    { name: "500", weight: 1, kind: "answer", status: 500, type: "InternalServerError" },
    ...resets,
    { name: "slow by up to 0.5 s", weight: 1, kind: "slow", ms: [50, 500] },
  ],
  lambda: [
    { name: "429", weight: 2, kind: "answer", status: 429, type: "TooManyRequestsException" },
    { name: "500", weight: 1, kind: "answer", status: 500, type: "ServiceException" },
    ...resets,
  ],
  secretsManager: [
    { name: "throttled", weight: 2, kind: "answer", status: 400, type: "ThrottlingException" },
    { name: "500", weight: 1, kind: "answer", status: 500, type: "InternalServiceError" },
    ...resets,
  ],
} as const satisfies Readonly<Record<string, readonly ServiceFault[]>>;

/** For all callers. */
export const runStoreOutages = {
  runStoreThrottled: { ...throttle, name: "outage: throttled" },
  runStoreCut: { name: "outage: cut off", weight: 1, kind: "reset", when: "before" },
} as const satisfies Readonly<Record<string, ServiceFault>>;

/** For one process. */
export const cuts = {
  cutReset: { name: "one process cut off: reset", weight: 1, kind: "reset", when: "before" },
  cutSilent: { name: "one process cut off: silence", weight: 1, kind: "silent" },
} as const satisfies Readonly<Record<string, ServiceFault>>;
