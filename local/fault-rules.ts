import * as z from "zod";

/** The fields of a rule that the local Studio and the offline model share. */
export const ruleFields = {
  /** The rule's name in the log. */
  name: z.string().optional(),
  /** Per call. Absent: 1. */
  probability: z.number().min(0).max(1).optional(),
  /** The number of calls that the rule applies to. Absent: no limit. */
  times: z.int().positive().optional(),
};

/** Faults that distort the real answer. */
export const distortions = [
  /** The first half of the body, as if it were complete. */
  z.strictObject({ kind: z.literal("cut") }),
  /** Replaces every field of that name in the answer, at any depth. */
  z.strictObject({ kind: z.literal("replace"), field: z.string(), with: z.unknown() }),
] as const;

interface Limits {
  readonly probability?: number | undefined;
  readonly times?: number | undefined;
}

export interface FaultRules<R> {
  add(rule: R): void;
  /** Adds a rule that is tried before all others. Returns a function that removes it. */
  addFirst(rule: R): () => void;
  clear(): void;
  /** The first rule that applies to this call, and counts it as used. */
  draw(fits: (rule: R) => boolean): R | undefined;
}

/** @param random 0 (included) to 1 (excluded), for rules with a probability */
export function createRules<R extends Limits>(random: () => number): FaultRules<R> {
  let rules: readonly { readonly rule: R; left: number }[] = [];
  const added = (rule: R) => ({ rule, left: rule.times ?? Infinity });
  return {
    add: (rule) => void (rules = [...rules, added(rule)]),
    addFirst: (rule) => {
      const first = added(rule);
      rules = [first, ...rules];
      return () => void (rules = rules.filter((each) => each !== first));
    },
    clear: () => void (rules = []),
    draw: (fits) => {
      const drawn = rules.find(
        ({ rule, left }) => left > 0 && fits(rule) && random() < (rule.probability ?? 1),
      );
      if (drawn === undefined) return undefined;
      drawn.left -= 1;
      return drawn.rule;
    },
  };
}
