import { describe, expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { countDeliverables, toPayload } from "../../../lib/deliverables/payload.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { fullDraft } from "./samples.ts";

function thrown(run: () => unknown): RunnerError {
  try {
    run();
  } catch (error) {
    if (error instanceof RunnerError) return error;
  }
  throw new Error("no RunnerError was thrown");
}

describe("toPayload", () => {
  test("carries the trimmed message and every deliverable", () => {
    const draft = fullDraft();
    expect(toPayload(draft, "\n Done: {{artifact:list:steps}} \n")).toEqual({
      assistantMessage: "Done: {{artifact:list:steps}}",
      ...draft,
    });
  });

  test("takes deliverables without a message", () => {
    expect(toPayload(fullDraft(), " ").assistantMessage).toBe("");
  });

  test("takes a message of 24,000 characters and refuses one more", () => {
    expect(toPayload(emptyDraft, "x".repeat(24_000)).assistantMessage).toHaveLength(24_000);
    const error = thrown(() => toPayload(emptyDraft, "x".repeat(24_001)));
    expect(error.code).toBe("assistant_message_too_long");
    expect(error.message).toBe("the model's message has 24001 characters, Studio takes at most 24000");
  });

  test("refuses nothing at all", () => {
    expect(thrown(() => toPayload(emptyDraft, " \n")).code).toBe("model_empty");
  });

  test("refuses dangling placeholders and names them", () => {
    const error = thrown(() =>
      toPayload(fullDraft(), "{{artifact:chart:kpi}} {{artifact:chart:gone}} {{artifact:graph:g}}"),
    );
    expect(error.code).toBe("deliverable_placeholder_mismatch");
    expect(error.message).toBe(
      'the message names deliverables that were not made: "{{artifact:chart:gone}}", "{{artifact:graph:g}}"',
    );
  });
});

test("counts deliverables per kind", () => {
  expect(countDeliverables(fullDraft())).toEqual({
    file: 1,
    chart: 6,
    table: 1,
    list: 1,
    checklist: 1,
    svg: 1,
  });
});
