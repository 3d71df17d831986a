import * as z from "zod";
import type { Clock } from "../../lib/core/clock.ts";
import { createRules, distortions, ruleFields, type FaultRules } from "../fault-rules.ts";
import type { Answer } from "./http.ts";

/**
 * Whether the call takes effect before it fails. "after": the work is done, but the client does not learn of
 * it.
 */
const when = z.enum(["before", "after"]);

const faultSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("status"),
    status: z.int().min(200).max(599),
    /** Sent as JSON; a string is sent unchanged. Absent: an `{ error }`. */
    body: z.unknown().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    when: when.optional(),
  }),
  z.strictObject({ kind: z.literal("html"), status: z.int().min(200).max(599), when: when.optional() }),
  z.strictObject({ kind: z.literal("reset"), when }),
  z.strictObject({ kind: z.literal("delay"), ms: z.number().nonnegative(), when: when.optional() }),
  z.strictObject({ kind: z.literal("never"), when: when.optional() }),
  ...distortions,
]);

export const faultRuleSchema = z.strictObject({
  ...ruleFields,
  /** A path of the runner's API. Absent: all. */
  route: z.string().startsWith("/").optional(),
  /** Applies to calls about this workspace. Absent: all. */
  workspaceId: z.string().optional(),
  fault: faultSchema,
});

export type FaultRule = Readonly<z.infer<typeof faultRuleSchema>>;
export type Fault = Readonly<FaultRule["fault"]>;

export interface FiredFault {
  readonly atMs: number;
  readonly path: string;
  readonly kind: Fault["kind"];
  /** The rule's name. */
  readonly name?: string;
  /** The workspace that the call was about. */
  readonly workspaceId?: string;
}

export interface Faults extends Omit<FaultRules<FaultRule>, "draw"> {
  /** The faults that were applied, oldest first. */
  log(): readonly FiredFault[];
}

export interface FaultBox extends Faults {
  /** Returns the fault of the first rule that applies to this call, and counts it as used. */
  draw(path: string, workspaceId?: string): Fault | undefined;
}

export function createFaults(clock: Clock, random: () => number): FaultBox {
  const rules = createRules<FaultRule>(random);
  const fired: FiredFault[] = [];
  return {
    ...rules,
    log: () => [...fired],
    draw(path, workspaceId) {
      const drawn = rules.draw(
        (rule) =>
          (rule.route ?? path) === path &&
          (rule.workspaceId === undefined || rule.workspaceId === workspaceId),
      );
      if (drawn === undefined) return undefined;
      const { name, fault } = drawn;
      fired.push({
        atMs: clock.now(),
        path,
        kind: fault.kind,
        ...(name === undefined ? {} : { name }),
        ...(workspaceId === undefined ? {} : { workspaceId }),
      });
      return fault;
    },
  };
}

/** What the client gets: an answer, a reset connection, or no answer. */
export type Outcome = Answer | "reset" | "never";

export interface FaultContext {
  readonly fault: Fault | undefined;
  readonly clock: Clock;
  /** Aborts when the server closes. */
  readonly signal: AbortSignal;
}

/** Runs the call's effect, with the fault before or after it. */
export async function withFault(context: FaultContext, effect: () => Answer): Promise<Outcome> {
  const { fault } = context;
  if (fault === undefined) return effect();
  if (fault.kind === "cut" || fault.kind === "replace") return distorted(effect(), fault);
  const early = fault.when === "after" ? effect() : undefined;
  if (fault.kind !== "delay") {
    return faultOutcome(fault);
  }
  await context.clock.sleep(fault.ms, context.signal);
  return early ?? effect();
}

/** Changes successful answers only; errors stay as they are. */
function distorted(answer: Answer, fault: Extract<Fault, { readonly kind: "cut" | "replace" }>): Answer {
  if (answer.status >= 300 || typeof answer.body !== "string") return answer;
  const { body } = answer;
  if (fault.kind === "cut") return { ...answer, body: body.slice(0, body.length / 2) };
  const replaced = (name: string, value: unknown): unknown => (name === fault.field ? fault.with : value);
  return { ...answer, body: JSON.stringify(JSON.parse(body, replaced)) };
}

type Plain = Exclude<Fault, { readonly kind: "delay" | "cut" | "replace" }>;

function faultOutcome(fault: Plain): Outcome {
  if (fault.kind === "reset" || fault.kind === "never") return fault.kind;
  if (fault.kind === "html") {
    const body = `<!doctype html><title>${fault.status}</title><h1>Bad gateway</h1>`;
    return { status: fault.status, headers: { "content-type": "text/html; charset=utf-8" }, body };
  }
  const { status, headers, body = { error: `injected fault ${status}` } } = fault;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers: { "content-type": "application/json; charset=utf-8", ...headers }, body: text };
}
