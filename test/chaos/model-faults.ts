import type { FaultRule } from "../../local/model/faults.ts";
import { retryAfterShares, rulesOf, type Rates, type Share } from "./rules.ts";

const create = "POST /v1/responses";
const retrieve = "GET /v1/responses/:id";
const retryAfter = { "retry-after": "1" };

/**
 * A request to start a response is refused, delayed, or cut after its first event. It is never cut earlier:
 * nobody could tell whether it started something, because the API has no idempotency key
 * (lib/model/background.ts), and that cost is the platform's.
 */
const calls: readonly Omit<Share<FaultRule>, "kind">[] = [
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

/**
 * Cuts after every kind of event: created, queued, in progress, start and end of items, their parts and
 * deltas.
 */
const cuts = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12].map((events): Share<FaultRule> => ({
  name: `stream cut after event ${events}`,
  kind: "calls",
  route: create,
  share: 0.1,
  fault: { kind: "reset", when: "mid-stream", events },
}));

const oddBodies: Readonly<Record<string, FaultRule["fault"]>> = {
  page: { kind: "html" },
  text: { kind: "status", status: 200, body: "OK" },
  null: { kind: "status", status: 200, body: null },
  "cut JSON": { kind: "cut" },
};

/**
 * Only for requests that retrieve a response. A started response whose answer cannot be read is as lost as
 * one that was cut off.
 */
const odd = Object.entries(oddBodies).map(([name, fault]): Share<FaultRule> => ({
  name: `200 with ${name}`,
  kind: "odd-body",
  route: retrieve,
  share: 0.04,
  fault,
}));

const usages = { "1e300": 1e300, negative: -1, "a fraction": 0.5 };
const absurdUsage = Object.entries(usages).map(([name, count]): Share<FaultRule> => ({
  name: `input_tokens ${name}`,
  kind: "absurd-number",
  route: retrieve,
  share: 0.04,
  fault: { kind: "replace", field: "input_tokens", with: count },
}));

const shares: readonly Share<FaultRule>[] = [
  ...odd,
  ...absurdUsage,
  ...cuts,
  ...retryAfterShares(0.01, create),
  ...calls.map((share) => ({ ...share, kind: "calls" as const })),
];

/** A response is retrieved only if its stream was cut. */
const plannedChance = (route: string | undefined): number => (route === retrieve ? 0.5 : 0.05);

export const modelRules = (rates: Rates) => rulesOf<FaultRule>(shares, rates, plannedChance);
export const modelShares = shares;
