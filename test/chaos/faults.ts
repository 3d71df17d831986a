import type { FaultKind } from "./kinds.ts";
import { modelShares } from "./model-faults.ts";
import { cuts, runStoreOutages, serviceFaults } from "./service-faults.ts";
import { studioOutage, studioShares } from "./studio-faults.ts";

/** Disturbances other than faults of calls: their kind, and their name in the report. */
export const deeds = {
  duplicate: ["events", "events duplicated"],
  drop: ["events", "events lost"],
  late: ["events", "events late"],
  killProcessor: ["kills", "processors killed with -9"],
  killDispatcher: ["kills", "dispatchers killed with -9"],
  memory: ["kills", "processors out of memory"],
  poison: ["kills", "processors killed by their own job"],
  stolen: ["stolen-lease", "leases stolen"],
  putBack: ["stolen-lease", "leases put back into the queue"],
  expired: ["stolen-lease", "leases expired at once"],
  studioDown: ["outage", "Studio down for longer than an attempt"],
  runStoreThrottled: ["outage", "run store throttled for everybody"],
  rotated: ["key", "runner keys rotated"],
  revoked: ["key", "runner keys revoked in flight"],
  secondQueued: ["second-message", "second messages while the first job was queued"],
  secondRunning: ["second-message", "second messages while the first job ran"],
  endUnanswered: ["second-message", "ends of first jobs whose answer is lost"],
  doubledSame: ["doubled-lease", "jobs leased once more to the same key"],
  doubledOther: ["doubled-lease", "jobs leased once more to another key"],
  oddHeartbeats: ["odd-body", "jobs whose heartbeats all have odd answers"],
  studioSpell: ["retry-after", "seconds of 429 or 503 from Studio"],
  modelSpell: ["retry-after", "seconds of 429 or 503 from the model"],
  cutReset: ["cut-off", "attempts cut off from the run store by resets"],
  cutSilent: ["cut-off", "attempts cut off from the run store by silence"],
  runStoreCut: ["cut-off", "run store out of everybody's reach"],
  frozenProcessor: ["frozen", "processors frozen"],
  frozenBeforePost: ["frozen", "processors frozen right before a post"],
  frozenDispatcher: ["frozen", "dispatchers frozen"],
  skewed: ["skew", "steps of Studio's clock"],
  skewJumped: ["skew", "jumps of Studio's clock"],
  fiveSeconds: ["short-lease", "jobs whose leases last 5 s"],
  fiftyMs: ["short-lease", "jobs whose first leases last 50 ms"],
} as const satisfies Readonly<Record<string, readonly [kind: FaultKind, name: string]>>;

export type Deed = keyof typeof deeds;

/** The title of the deeds in the report. */
export const deedsTitle = "processes, events, leases, keys, clocks";

interface NamedFault {
  readonly kind: FaultKind;
  /** What it hits, as named in the report. */
  readonly hit: string;
  readonly name: string;
}

const services = { DynamoDB: "dynamodb", Lambda: "lambda", "Secrets Manager": "secretsManager" } as const;

/** Every fault that the report counts. */
export const namedFaults: readonly NamedFault[] = [
  ...studioShares.map(({ kind, name }) => ({ kind, hit: "Studio", name })),
  { kind: "outage", hit: "Studio", name: studioOutage.name },
  ...modelShares.map(({ kind, name, route = "" }) => ({
    kind,
    hit: "model",
    name: `${route.split(" ")[0]} ${name}`,
  })),
  ...Object.entries(services).flatMap(([hit, service]) =>
    serviceFaults[service].map(({ name }) => ({ kind: "calls" as const, hit, name })),
  ),
  { kind: "outage", hit: "DynamoDB", name: runStoreOutages.runStoreThrottled.name },
  ...[runStoreOutages.runStoreCut, ...Object.values(cuts)].map(({ name }) => ({
    kind: "cut-off" as const,
    hit: "DynamoDB",
    name,
  })),
  ...Object.values(deeds).map(([kind, name]) => ({ kind, hit: deedsTitle, name })),
];
