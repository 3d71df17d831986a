import { describe, expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { countDeliverables, toPayload } from "../../../lib/deliverables/payload.ts";
import { emptyWorkbench } from "../../../lib/deliverables/workbench.ts";
import { fullWorkbench } from "./samples.ts";

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
    const workbench = fullWorkbench();
    expect(toPayload(workbench, "\n Done: {{artifact:list:steps}} \n")).toEqual({
      assistantMessage: "Done: {{artifact:list:steps}}",
      ...workbench,
    });
  });

  test("takes deliverables without a message", () => {
    expect(toPayload(fullWorkbench(), " ").assistantMessage).toBe("");
  });

  test("takes a message of 24,000 characters and refuses one more", () => {
    expect(toPayload(emptyWorkbench, "x".repeat(24_000)).assistantMessage).toHaveLength(24_000);
    const error = thrown(() => toPayload(emptyWorkbench, "x".repeat(24_001)));
    expect(error.code).toBe("assistant_message_too_long");
    expect(error.message).toBe("the model's message has 24001 characters, Studio takes at most 24000");
  });

  test("refuses nothing at all", () => {
    expect(thrown(() => toPayload(emptyWorkbench, " \n")).code).toBe("model_empty");
  });

  test("refuses dangling placeholders and names them", () => {
    const error = thrown(() =>
      toPayload(fullWorkbench(), "{{artifact:chart:kpi}} {{artifact:chart:gone}} {{artifact:graph:g}}"),
    );
    expect(error.code).toBe("deliverable_placeholder_mismatch");
    expect(error.message).toBe(
      'the message names deliverables that were not made: "{{artifact:chart:gone}}", "{{artifact:graph:g}}"',
    );
  });
});

test("counts deliverables per kind", () => {
  expect(countDeliverables(fullWorkbench())).toEqual({
    file: 1,
    chart: 6,
    table: 1,
    list: 1,
    checklist: 1,
    svg: 1,
  });
});
