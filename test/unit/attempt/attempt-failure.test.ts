import { describe, expect, it } from "vitest";
import { explainFailures, failureOf } from "../../../lib/attempt/attempt-failure.ts";

describe("failures of attempts", () => {
  it.each([
    [["out_of_memory", "out_of_memory"], "The worker ran out of memory twice."],
    [["crashed"], "The worker crashed."],
    [["timed_out", "crashed", "crashed"], "The worker ran out of time and crashed twice."],
    [["event_lost", "event_lost", "event_lost"], "The worker could not be started three times."],
    [[], "The worker did not finish."],
  ])("%j are explained as: %s", (failures, sentence) => {
    expect(explainFailures(failures)).toBe(sentence);
  });

  it.each([
    ["Sandbox.Timedout: 2026 Task timed out after 900.00 seconds", "timed_out"],
    ["Runtime.OutOfMemory: RequestId: x Error: Runtime exited", "out_of_memory"],
    ["Runtime.ExitError: Runtime exited with error: signal: killed", "killed"],
    ["Runtime.ExitError: Runtime exited with error: exit status 1", "crashed"],
    ["TypeError: x is not a function", "crashed"],
  ])("with the error %s are classified as %s", (error, failure) => {
    expect(failureOf(error)).toBe(failure);
  });
});
