import * as z from "zod";

const faultSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("status"),
    status: z.number().int().min(200).max(599),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.unknown().optional(),
  }),
  /** A proxy's HTML page with status 200. */
  z.strictObject({ kind: z.literal("html") }),
  /** The first half of the body, as if it were complete. */
  z.strictObject({ kind: z.literal("cut") }),
  /** Replaces every field of that name in the answer, at any depth. */
  z.strictObject({ kind: z.literal("replace"), field: z.string(), with: z.unknown() }),
  /**
   * `after`: the work is done and billed, but the answer never arrives. `mid-stream`: after this many events,
   * or half of the JSON.
   */
  z.strictObject({
    kind: z.literal("reset"),
    when: z.enum(["before", "after", "mid-stream"]),
    events: z.number().int().positive().optional(),
  }),
  z.strictObject({ kind: z.literal("delay"), ms: z.number().nonnegative() }),
  /** The connection stays open and nothing (more) is sent. */
  z.strictObject({ kind: z.literal("silent"), when: z.enum(["before", "mid-stream"]).optional() }),
]);

const ruleSchema = z.strictObject({
  /** The rule's name in the log. */
  name: z.string().optional(),
  /** As in routes.ts: "POST /v1/responses" or "GET /v1/responses/:id". Absent: every route. */
  route: z.string().optional(),
  /** 0 to 1. Absent: always. */
  probability: z.number().min(0).max(1).optional(),
  /** How often the rule applies. Absent: until it is removed. */
  times: z.number().int().positive().optional(),
  fault: faultSchema,
});

export type Fault = z.output<typeof faultSchema>;
export type FaultRule = Readonly<z.output<typeof ruleSchema>>;

export interface FiredFault {
  readonly route: string;
  readonly kind: Fault["kind"];
  /** The rule's name. */
  readonly name: string | undefined;
}

export interface Faults {
  add(rule: FaultRule): void;
  /** Adds a rule that is tried before all others. Returns a function that removes it. */
  addFirst(rule: FaultRule): () => void;
  clear(): void;
  /** The fault for this request, if any, from the first rule that matches. */
  strike(route: string): Fault | undefined;
  /** The faults that were applied, oldest first. */
  log(): readonly FiredFault[];
}

/** @throws ZodError for an invalid rule */
export const parseFaultRule = (rule: unknown): FaultRule => ruleSchema.parse(rule);

export function createFaults(random: () => number): Faults {
  let rules: { readonly rule: FaultRule; left: number }[] = [];
  const fired: FiredFault[] = [];
  return {
    add: (rule) => void rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }),
    addFirst: (rule) => {
      const added = { rule, left: rule.times ?? Number.POSITIVE_INFINITY };
      rules = [added, ...rules];
      return () => {
        rules = rules.filter((each) => each !== added);
      };
    },
    clear: () => {
      rules = [];
    },
    strike: (route) => {
      const struck = rules.find(
        ({ rule, left }) => left > 0 && (rule.route ?? route) === route && random() < (rule.probability ?? 1),
      );
      if (struck === undefined) return undefined;
      struck.left -= 1;
      const { name, fault } = struck.rule;
      fired.push({ route, kind: fault.kind, name });
      return fault;
    },
    log: () => [...fired],
  };
}
