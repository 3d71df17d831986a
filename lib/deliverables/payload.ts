import { RunnerError } from "../core/errors.ts";
import type { CompletePayload } from "../studio/studio.ts";
import { limits } from "./fields.ts";
import { danglingPlaceholders } from "./placeholders.ts";
import { preview } from "./problems.ts";
import { payloadKeyByKind } from "./registry.ts";
import type { PayloadKey } from "./tool.ts";
import type { Draft } from "./draft.ts";

/**
 * The body of `/completeWorkspaceJob`, without the workspace id.
 * @throws RunnerError `model_empty`, `assistant_message_too_long`, `deliverable_placeholder_mismatch` (names
 * the tokens)
 */
export function toPayload(draft: Draft, assistantMessage: string): CompletePayload {
  const message = assistantMessage.trim();
  const most = limits.assistantMessageChars;
  if (message.length > most) {
    const sentence = `the model's message has ${message.length} characters, Studio takes at most ${most}`;
    throw new RunnerError("assistant_message_too_long", sentence);
  }
  if (message === "" && payloadKeys.every((key) => draft[key].length === 0)) {
    throw new RunnerError("model_empty", "the model gave neither a message nor a deliverable");
  }
  const dangling = danglingPlaceholders(message, draft);
  if (dangling.length > 0) {
    const tokens = dangling.map(({ token }) => preview(token)).join(", ");
    throw new RunnerError(
      "deliverable_placeholder_mismatch",
      `the message names deliverables that were not made: ${tokens}`,
    );
  }
  return { assistantMessage: message, ...draft };
}

/** The number of deliverables of each kind, by the placeholder's KIND. */
export function countDeliverables(draft: Draft): Readonly<Record<string, number>> {
  return Object.fromEntries([...payloadKeyByKind].map(([kind, key]) => [kind, draft[key].length]));
}

export const payloadKeys: readonly PayloadKey[] = [...new Set(payloadKeyByKind.values())];
