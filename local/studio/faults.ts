import * as z from "zod";
import type { Clock } from "../../lib/core/clock.ts";
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
  /** The first half of the real body, as if it were complete. */
  z.strictObject({ kind: z.literal("cut") }),
  /** Replaces every field of that name in the real answer, at any depth. */
  z.strictObject({ kind: z.literal("replace"), field: z.string(), with: z.unknown() }),
]);

export const faultRuleSchema = z.strictObject({
  /** The rule's name in the log. */
  name: z.string().optional(),
  /** A path of the runner's API. Absent: all. */
  route: z.string().startsWith("/").optional(),
  /** Applies to calls about this workspace. Absent: all. */
  workspaceId: z.string().optional(),
  /** Probability per call. Absent: 1. */
  probability: z.number().min(0).max(1).optional(),
  /** The number of calls that the rule applies to. Absent: no limit. */
  times: z.int().positive().optional(),
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

export interface Faults {
  add(rule: FaultRule): void;
  /** Adds a rule that is tried before all others. Returns a function that removes it. */
  addFirst(rule: FaultRule): () => void;
  clear(): void;
  /** The faults that were applied, oldest first. */
  log(): readonly FiredFault[];
}

export interface FaultBox extends Faults {
  /** Returns the fault of the first rule that applies to this call, and counts it as used. */
  draw(path: string, workspaceId?: string): Fault | undefined;
}

export function createFaults(ports: { readonly clock: Clock; readonly random: () => number }): FaultBox {
  let rules: readonly { readonly rule: FaultRule; left: number }[] = [];
  const fired: FiredFault[] = [];
  return {
    add(rule) {
      rules = [...rules, { rule, left: rule.times ?? Infinity }];
    },
    addFirst(rule) {
      const added = { rule, left: rule.times ?? Infinity };
      rules = [added, ...rules];
      return () => {
        rules = rules.filter((each) => each !== added);
      };
    },
    clear() {
      rules = [];
    },
    log: () => [...fired],
    draw(path, workspaceId) {
      const hit = rules.find(
        ({ rule, left }) =>
          left > 0 &&
          (rule.route === undefined || rule.route === path) &&
          (rule.workspaceId === undefined || rule.workspaceId === workspaceId) &&
          ports.random() < (rule.probability ?? 1),
      );
      if (hit === undefined) return undefined;
      hit.left -= 1;
      const { name, fault } = hit.rule;
      fired.push({
        atMs: ports.clock.now(),
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
