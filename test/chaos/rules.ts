import type { FaultKind } from "./kinds.ts";

/** A rule without its probability, which is derived from the share of calls and the rate of faults. */
export type Share<Rule> = Omit<Rule, "probability"> & {
  readonly name: string;
  readonly kind: FaultKind;
  readonly share: number;
};

export interface Rates {
  readonly faultRate: number;
  readonly only: ReadonlySet<FaultKind>;
}

type Routed<Rule> = Share<Rule> & { readonly route?: string | undefined };

/**
 * Rules for a server: first each of them once, early (with few jobs, chance leaves some out), then at random.
 */
export function rulesOf<Rule extends object>(
  shares: readonly Routed<Rule>[],
  { faultRate, only }: Rates,
  plannedChance: (route: string | undefined) => number,
) {
  if (faultRate === 0) return [];
  const wanted = shares.filter(({ kind }) => only.has(kind));
  const planned = wanted.map(({ share: _share, kind: _kind, ...rule }) => ({
    ...rule,
    times: 1,
    probability: plannedChance(rule.route),
  }));
  return [...planned, ...byDice<Rule>(wanted, faultRate)];
}

/**
 * The first rule that matches wins, so a later one needs a higher probability for the same share of all
 * calls.
 */
function byDice<Rule extends object>(shares: readonly Routed<Rule>[], rate: number) {
  const spent = new Map<string, number>();
  return shares.map(({ share, kind: _kind, ...rule }) => {
    const before = spent.get(rule.route ?? "") ?? 0;
    spent.set(rule.route ?? "", before + share * rate);
    return { ...rule, probability: (share * rate) / (1 - before) };
  });
}

/** Values of Retry-After that 429 and 503 may have, by their name in the report. */
export const retryAfters = {
  "0": "0",
  negative: "-5",
  "a word": "soon",
  "a past date": "Thu, 01 Jan 1970 00:00:00 GMT",
  "a far date": "Fri, 31 Dec 9999 23:59:59 GMT",
  "epoch seconds": "1795000000",
  // More milliseconds than a timer can count.
  "25 days": "2147484",
  "1e300": "1e300",
} as const;

export type RetryAfter = keyof typeof retryAfters;

/** One rule for each value and status, named after the value. */
export const retryAfterShares = (share: number, route?: string) =>
  Object.entries(retryAfters).flatMap(([name, value]) =>
    [429, 503].map((status) => ({
      name: `Retry-After: ${name}`,
      kind: "retry-after" as const,
      share,
      ...(route === undefined ? {} : { route }),
      fault: { kind: "status" as const, status, headers: { "retry-after": value } },
    })),
  );

/** Numbers that no real server sends. */
export const absurd = { nanoseconds: 1.76e18, seconds: 1.76e9, negative: -1, "1e300": 1e300 } as const;
