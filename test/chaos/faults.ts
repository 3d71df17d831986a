import type { FaultRule as ModelRule } from "../../local/model/faults.ts";
import type { FaultRule as StudioRule } from "../../local/studio/faults.ts";
import type { ServiceFault } from "./proxy.ts";

/** A rule whose probability is still to be told: its share of all faults of its server. */
type Share<Rule> = Omit<Rule, "probability"> & { readonly name: string; readonly share: number };

const retryAfter = { "retry-after": "1" };

const studioShares: readonly Share<StudioRule>[] = [
  { name: "500", share: 0.18, fault: { kind: "status", status: 500 } },
  { name: "500, done all the same", share: 0.1, fault: { kind: "status", status: 500, when: "after" } },
  { name: "502 HTML", share: 0.18, fault: { kind: "html", status: 502 } },
  { name: "429", share: 0.06, fault: { kind: "status", status: 429, headers: retryAfter } },
  { name: "reset before the effect", share: 0.16, fault: { kind: "reset", when: "before" } },
  { name: "reset after the effect", share: 0.16, fault: { kind: "reset", when: "after" } },
  { name: "slow by 0.4 s", share: 0.1, fault: { kind: "delay", ms: 400 } },
  { name: "slow by 2 s", share: 0.04, fault: { kind: "delay", ms: 2_000 } },
  { name: "slow by 2 s, done at once", share: 0.02, fault: { kind: "delay", ms: 2_000, when: "after" } },
];

const create = "POST /v1/responses";
const retrieve = "GET /v1/responses/:id";

/**
 * A request to begin a response is only refused or slowed down. Were it cut off, nobody could tell whether it has begun
 * something, since the API has no idempotency key (lib/inference/background.ts); what that costs is the platform's.
 */
const modelShares: readonly Share<ModelRule>[] = [
  { name: "500", route: create, share: 0.4, fault: { kind: "status", status: 500 } },
  {
    name: "502",
    route: create,
    share: 0.3,
    fault: { kind: "status", status: 502, body: "<h1>Bad gateway</h1>" },
  },
  { name: "429", route: create, share: 0.1, fault: { kind: "status", status: 429, headers: retryAfter } },
  { name: "slow by 0.4 s", route: create, share: 0.2, fault: { kind: "delay", ms: 400 } },
  { name: "500", route: retrieve, share: 0.3, fault: { kind: "status", status: 500 } },
  { name: "reset before the effect", route: retrieve, share: 0.25, fault: { kind: "reset", when: "before" } },
  { name: "reset in mid-answer", route: retrieve, share: 0.25, fault: { kind: "reset", when: "mid-stream" } },
  { name: "slow by 0.4 s", route: retrieve, share: 0.2, fault: { kind: "delay", ms: 400 } },
];

/** The first rule that hits wins, so that a later one needs a higher chance for the same share of all calls. */
function rulesAt<Rule extends object>(
  rate: number,
  shares: readonly (Share<Rule> & { readonly route?: string | undefined })[],
) {
  const spent = new Map<string, number>();
  return shares.map(({ share, ...rule }) => {
    const before = spent.get(rule.route ?? "") ?? 0;
    spent.set(rule.route ?? "", before + share * rate);
    return { ...rule, probability: (share * rate) / (1 - before) };
  });
}

/** Before the dice: each kind that has not struck yet does so once, soon. */
const plannedOnce = <Rule extends object>(shares: readonly Share<Rule>[], probability: number) =>
  shares.map(({ share: _share, ...rule }) => ({ ...rule, times: 1, probability }));

/** `struck`: names of what has struck already. */
export const studioRules = (rate: number, struck: ReadonlySet<string> = new Set()) => [
  ...plannedOnce<StudioRule>(
    studioShares.filter(({ name }) => !struck.has(name)),
    0.03,
  ),
  ...rulesAt<StudioRule>(rate, studioShares),
];
export const modelRules = (rate: number) => [
  ...plannedOnce<ModelRule>(modelShares, 0.1),
  ...rulesAt<ModelRule>(rate, modelShares),
];

export const studioOutage = {
  name: "outage: 503",
  fault: { kind: "status", status: 503 },
} as const satisfies StudioRule;

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

/** What the AWS services do, by service. */
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

/** What `disturb` does beyond the faults of calls. */
export const deeds = {
  duplicate: "events duplicated",
  drop: "events lost",
  late: "events late",
  killProcessor: "processors killed with -9",
  killDispatcher: "dispatchers killed with -9",
  memory: "processors out of memory",
  poison: "processors killed by their own job",
  stolen: "leases stolen",
  putBack: "leases put back into the queue",
  expired: "leases expired",
  studioDown: "Studio down for longer than a leg",
  ledgerDown: "ledger down",
  rotated: "runner keys rotated",
  revoked: "runner keys revoked in flight",
} as const;

const namesOf = (faults: readonly { readonly name: string }[]): readonly string[] =>
  faults.map(({ name }) => name);

/** Every kind of fault, by what it hits: as the report names them. */
export const faultKinds: Readonly<Record<string, readonly string[]>> = {
  Studio: [...namesOf(studioShares), studioOutage.name],
  model: modelShares.map(({ name, route = "" }) => `${route.split(" ")[0]} ${name}`),
  DynamoDB: [...namesOf(serviceFaults.dynamodb), "outage: throttled"],
  Lambda: namesOf(serviceFaults.lambda),
  "Secrets Manager": namesOf(serviceFaults.secretsManager),
  "processes, events, leases, keys": Object.values(deeds),
};

export const ledgerOutage: ServiceFault = { ...throttle, name: "outage: throttled" };
