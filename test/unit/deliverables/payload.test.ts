import { describe, expect, test } from "vitest";
import { toPayload } from "../../../lib/deliverables/payload.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { fullDraft } from "./samples.ts";

describe("toPayload", () => {
  test("contains the trimmed message and every deliverable", () => {
    const draft = fullDraft();
    expect(toPayload(draft, "\n Done: {{artifact:list:steps}} \n")).toEqual({
      assistantMessage: "Done: {{artifact:list:steps}}",
      ...draft,
    });
  });

  test("accepts deliverables without a message", () => {
    expect(toPayload(fullDraft(), " ").assistantMessage).toBe("");
  });

  test("accepts a message of 24,000 UTF-16 units, two per emoji, and rejects a longer one", () => {
    const message = "😀".repeat(12_000);
    expect(toPayload(emptyDraft, message).assistantMessage).toBe(message);
    expect(() => toPayload(emptyDraft, `${message}x`)).toThrow(
      expect.objectContaining({
        code: "assistant_message_too_long",
        message: "the model's message has 24001 characters, Studio takes at most 24000",
      }),
    );
  });

  test("rejects an empty message without deliverables", () => {
    expect(() => toPayload(emptyDraft, " \n")).toThrow(expect.objectContaining({ code: "model_empty" }));
  });

  test("rejects dangling placeholders and names them", () => {
    const text = "{{artifact:chart:kpi}} {{artifact:chart:gone}} {{artifact:graph:g}}";
    expect(() => toPayload(fullDraft(), text)).toThrow(
      expect.objectContaining({
        code: "deliverable_placeholder_mismatch",
        message:
          'the message names deliverables that were not made: "{{artifact:chart:gone}}", "{{artifact:graph:g}}"',
      }),
    );
  });
});
