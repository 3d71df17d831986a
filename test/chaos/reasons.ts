import type { CaseEnd, Evidence } from "./evidence.ts";

export interface Reason {
  readonly name: string;
  readonly isTrue: boolean;
}

/** Failures that Lambda saw. */
const seenByLambda =
  "crashed|ran out of memory|was killed(?: \\(as happens when memory runs out\\))?|ran out of time";
const multiples: Readonly<Record<string, number>> = { " twice": 2, " three times": 3, " four times": 4 };

/** How often a failure's reason names these words. */
function named(failure: string | null, words: string): number {
  const found = [...(failure ?? "").matchAll(new RegExp(`(?:${words})( twice| \\w+ times)?`, "g"))];
  return found.reduce((all, [, times]) => all + (multiples[times ?? ""] ?? 1), 0);
}

/**
 * A reason may not name more than was done: failed invocations that Lambda saw; lost, late and unsent events;
 * and silence, which comes from a failed, frozen or cut off process, or from a failed heartbeat.
 */
function isTrueOfWorker({
  brokenAttempts,
  disturbedAttempts,
  unstarted,
  failedHeartbeats,
  failure,
}: CaseEnd): boolean {
  const seen = named(failure, seenByLambda);
  return (
    seen <= brokenAttempts &&
    named(failure, "could not be started") <= unstarted &&
    named(failure, "stopped responding") <=
      Math.max(brokenAttempts, disturbedAttempts) - seen + failedHeartbeats
  );
}

/** One bad answer does not make a provider unavailable. */
const modelFaultsNeeded = 3;

/** The reasons that a user may read, and when each is true. */
const reasons: readonly {
  readonly name: string;
  readonly pattern: RegExp;
  readonly isTrue: (one: CaseEnd, evidence: Evidence) => boolean;
}[] = [
  {
    name: "its worker broke each time",
    pattern: /^The worker /,
    isTrue: isTrueOfWorker,
  },
  {
    name: "the model was not available",
    pattern: /model's provider is not available/i,
    isTrue: ({ modelFaults }) => modelFaults >= modelFaultsNeeded,
  },
  {
    name: "the runner's records were out of reach",
    pattern: /its own records/,
    isTrue: (_, { hit }) => hit.runStore,
  },
  {
    name: "the runner's keys were out of reach",
    pattern: /could not read its keys/,
    isTrue: (_, { hit }) => hit.secrets,
  },
  {
    // Only if a whole answer had the wrong structure, for the second time in a row.
    name: "Studio broke its contract, twice in a row",
    pattern: /Studio broke its contract: POST \/getWorkspaceRunnerContext .* wrong shape/,
    isTrue: ({ misshapenContexts }) => misshapenContexts >= 2,
  },
];

export function reasonOf(one: CaseEnd, evidence: Evidence): Reason {
  const text = one.failure ?? "";
  if (one.kind.fails?.test(text)) return { name: `${one.kind.name}, as it should be`, isTrue: true };
  const row = reasons.find(({ pattern }) => pattern.test(text));
  return {
    name: row?.name ?? `unforeseen: ${text.slice(0, 120)}`,
    isTrue: row?.isTrue(one, evidence) ?? false,
  };
}
