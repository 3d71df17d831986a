import * as z from "zod";
import { RunnerError } from "../errors.ts";
import type { CompletePayload } from "../studio/studio.ts";
import { limits } from "./limits.ts";
import { danglingPlaceholders } from "./placeholders.ts";
import { describeIssues, preview } from "./problems.ts";
import { payloadKeyByKind, tools } from "./registry.ts";
import { foldId } from "./tool.ts";
import type { PayloadKey, Tool } from "./tool.ts";
import type { Workbench } from "./workbench.ts";

/**
 * The body of `/completeWorkspaceJob`, without the workspace id.
 * @throws RunnerError `model_empty`, `assistant_message_too_long`, `deliverable_placeholder_mismatch` (names the tokens)
 */
export function toPayload(workbench: Workbench, assistantMessage: string): CompletePayload {
  const message = assistantMessage.trim();
  const most = limits.assistantMessageChars;
  if (message.length > most) {
    const sentence = `the model's message has ${message.length} characters, Studio takes at most ${most}`;
    throw new RunnerError("assistant_message_too_long", sentence);
  }
  if (message === "" && payloadKeys.every((key) => workbench[key].length === 0)) {
    throw new RunnerError("model_empty", "the model gave neither a message nor a deliverable");
  }
  const dangling = danglingPlaceholders(message, workbench);
  if (dangling.length > 0) {
    const tokens = dangling.map(({ token }) => preview(token)).join(", ");
    throw new RunnerError(
      "deliverable_placeholder_mismatch",
      `the message names deliverables that were not made: ${tokens}`,
    );
  }
  return { assistantMessage: message, ...workbench };
}

/** How many there are of each kind, by the placeholder's KIND. */
export function countDeliverables(workbench: Workbench): Readonly<Record<string, number>> {
  return Object.fromEntries([...payloadKeyByKind].map(([kind, key]) => [kind, workbench[key].length]));
}

export const payloadKeys: readonly PayloadKey[] = [...new Set(payloadKeyByKind.values())];

/** What Studio takes: every cap, unique ids, no dangling placeholder, not nothing. Other fields beside are left alone. */
export const payloadSchema = z
  .looseObject({
    assistantMessage: z.string().max(limits.assistantMessageChars),
    ...Object.fromEntries(payloadKeys.map((key) => [key, arraySchema(key)])),
  })
  .superRefine(checkWhole);

/** Every reason for which Studio would refuse the payload, as sentences; empty when it is right. */
export function checkPayload(payload: unknown): readonly string[] {
  const parsed = payloadSchema.safeParse(payload);
  return parsed.success ? [] : describeIssues(parsed.error.issues, payload);
}

function arraySchema(key: PayloadKey) {
  const [first, ...others] = tools.filter((tool) => tool.payloadKey === key);
  if (first === undefined) throw new RunnerError("internal", `no tool makes ${key}`);
  const item =
    others.length === 0
      ? first.schema
      : z.discriminatedUnion("kind", [first.schema, ...others.map(({ schema }) => schema)]);
  return z
    .array(item)
    .max(limits.most[key])
    .superRefine((items, context) => checkUnique(first, items, context));
}

function checkUnique(tool: Tool, items: readonly unknown[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  items.forEach((item, index) => {
    const id = tool.idOf(item);
    if (seen.has(foldId(id))) {
      const message = `id ${preview(id)} is taken by another ${tool.kind}; ids differ in more than case`;
      context.addIssue({ code: "custom", path: [index], message });
    }
    seen.add(foldId(id));
  });
}

function checkWhole(payload: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  const message = typeof payload["assistantMessage"] === "string" ? payload["assistantMessage"] : "";
  const made = Object.fromEntries(payloadKeys.map((key) => [key, listAt(payload, key)]));
  // Studio leaves tokens alone that it cannot read: it knows its kinds only, and needs an id.
  const dangling = danglingPlaceholders(message, made).filter(
    ({ kind, id }) => payloadKeyByKind.has(kind) && id !== "",
  );
  for (const { token } of dangling) {
    const sentence = `${preview(token)} has no deliverable in this payload`;
    context.addIssue({ code: "custom", path: ["assistantMessage"], message: sentence });
  }
  if (message.trim() === "" && payloadKeys.every((key) => listAt(payload, key).length === 0)) {
    context.addIssue({ code: "custom", message: "neither a message nor a deliverable" });
  }
}

function listAt(payload: Readonly<Record<string, unknown>>, key: PayloadKey): readonly unknown[] {
  const list = payload[key];
  return Array.isArray(list) ? list : [];
}
