import type { FaultRule } from "../../local/studio/faults.ts";
import { absurd, retryAfterShares, rulesOf, type Rates, type Share } from "./rules.ts";

const routes = {
  lease: "/leaseWorkspaceJob",
  context: "/getWorkspaceRunnerContext",
  heartbeat: "/heartbeatWorkspaceJob",
  complete: "/completeWorkspaceJob",
  fail: "/failWorkspaceJob",
} as const;
type RouteName = keyof typeof routes;

const retryAfter = { "retry-after": "1" };

const calls: readonly Omit<Share<FaultRule>, "kind">[] = [
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

const losses = {
  reset: { kind: "reset", when: "after" },
  "502 page": { kind: "html", status: 502, when: "after" },
  silence: { kind: "never", when: "after" },
} as const satisfies Readonly<Record<string, FaultRule["fault"]>>;

/** The ways to lose an answer after its call took effect. */
export const lossFaults: readonly FaultRule["fault"][] = Object.values(losses);

const lost = (Object.keys(routes) as RouteName[]).flatMap((route) =>
  Object.entries(losses).map(([how, fault]): Share<FaultRule> => ({
    name: `${route} done, answer lost: ${how}`,
    kind: "lost-answer",
    route: routes[route],
    // A lease call without an answer holds up its whole cycle.
    share: route === "lease" && how === "silence" ? 0.01 : 0.06,
    fault,
  })),
);

const body = (text: string): FaultRule["fault"] => ({
  kind: "status",
  status: 200,
  body: text,
  when: "after",
});
const isoTime = "2026-11-20T12:00:00.000Z";

/** Bodies sent with status 200 after the call took effect. */
export const oddBodies: Readonly<Record<string, FaultRule["fault"]>> = {
  text: body("OK"),
  page: { kind: "html", status: 200, when: "after" },
  nothing: body(""),
  "cut JSON": { kind: "cut" },
  null: body("null"),
  "ISO time": { kind: "replace", field: "leaseExpiresAt", with: isoTime },
};

const odd = [
  ...Object.entries(oddBodies).map(([name, fault]): Share<FaultRule> => ({
    name: `200 with ${name}`,
    kind: "odd-body",
    share: 0.03,
    fault,
  })),
  {
    name: "200 with ISO time in the context",
    kind: "odd-body" as const,
    route: routes.context,
    share: 0.03,
    fault: { kind: "replace", field: "createdAtMs", with: isoTime } as const,
  },
];

const absurdFields = [
  { route: "lease", field: "leaseExpiresAt" },
  { route: "heartbeat", field: "leaseExpiresAt" },
  { route: "context", field: "createdAtMs" },
] as const;

const absurdNumbers = absurdFields.flatMap(({ route, field }) =>
  Object.entries(absurd).map(([name, number]): Share<FaultRule> => ({
    name: `${route}: ${field} ${name}`,
    kind: "absurd-number",
    route: routes[route],
    share: 0.03,
    fault: { kind: "replace", field, with: number },
  })),
);

const shares: readonly Share<FaultRule>[] = [
  ...lost,
  ...absurdNumbers,
  ...odd,
  ...retryAfterShares(0.004),
  ...calls.map((share) => ({ ...share, kind: "calls" as const })),
];

/** The fewer calls a route has, the higher the probability of its planned faults. */
const plannedChances: Readonly<Record<string, number>> = { [routes.fail]: 1, [routes.lease]: 0.05 };
const plannedChance = (route: string | undefined): number =>
  route === undefined ? 0.015 : (plannedChances[route] ?? 0.12);

export const studioRules = (rates: Rates) => rulesOf<FaultRule>(shares, rates, plannedChance);
export const studioShares = shares;

export const studioOutage = {
  name: "outage: 503",
  fault: { kind: "status", status: 503 },
} as const satisfies FaultRule;

/** The routes that end a job, whose answers are lost in one workspace. */
export const endRoutes: readonly string[] = [routes.complete, routes.fail];
export const heartbeatRoute = routes.heartbeat;
