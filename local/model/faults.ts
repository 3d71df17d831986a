import * as z from "zod";
import { createRules, distortions, ruleFields, type FaultRules } from "../fault-rules.ts";

const faultSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("status"),
    status: z.number().int().min(200).max(599),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.unknown().optional(),
  }),
  /** A proxy's HTML page with status 200. */
  z.strictObject({ kind: z.literal("html") }),
  ...distortions,
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
  ...ruleFields,
  /** As in routes.ts: "POST /v1/responses" or "GET /v1/responses/:id". Absent: every route. */
  route: z.string().optional(),
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

export interface Faults extends Omit<FaultRules<FaultRule>, "draw"> {
  /** The fault for this request, if any, from the first rule that matches. */
  strike(route: string): Fault | undefined;
  /** The faults that were applied, oldest first. */
  log(): readonly FiredFault[];
}

/** @throws ZodError for an invalid rule */
export const parseFaultRule = (rule: unknown): FaultRule => ruleSchema.parse(rule);

export function createFaults(random: () => number): Faults {
  const rules = createRules<FaultRule>(random);
  const fired: FiredFault[] = [];
  return {
    ...rules,
    strike: (route) => {
      const drawn = rules.draw((rule) => (rule.route ?? route) === route);
      if (drawn === undefined) return undefined;
      const { name, fault } = drawn;
      fired.push({ route, kind: fault.kind, name });
      return fault;
    },
    log: () => [...fired],
  };
}
