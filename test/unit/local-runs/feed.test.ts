import { expect, it } from "vitest";
import type { LogFields } from "../../../lib/core/log.ts";
import { createRunFeed } from "../../../local/runs/feed.ts";
import type { RunChange } from "../../../local/runs/view.ts";

const feed = createRunFeed();
const observe = (message: string, fields: LogFields = {}): void =>
  feed.observe({
    kind: "log",
    atMs: 0,
    function: "pool-local-processor",
    requestId: "r",
    stream: "stdout",
    line: JSON.stringify({
      level: "INFO",
      message,
      runId: "run-1",
      workspaceId: "ws-1",
      attempt: 1,
      ...fields,
    }),
  });

it.each<readonly [message: string, fields: LogFields, progress: string | null]>([
  ["job_leased", {}, "Starting"],
  ["attempt_started", {}, "Reading the messages"],
  ["prior_context", {}, "Round 1: the model is writing"],
  ["tool_called", { round: 1, tool: "create_table" }, "Round 1: drawing a table"],
  ["tool_called", { round: 1, tool: "constructor" }, "Round 1: the model calls a tool"],
  ["round_ended", { round: 1, calls: 2 }, "Round 2: the model is writing"],
  ["price_unknown", {}, "Round 2: the model is writing"],
  ["attempt_continued", {}, "Attempt 2, round 2: continuing"],
  ["attempt_started", { attempt: 2 }, "Attempt 2, round 2: reading the messages"],
  ["round_ended", { attempt: 2, round: 2, calls: 0 }, "Attempt 2, round 2: delivering the result"],
  ["run_ended", { attempt: 2 }, null],
])("after %s with %j, the progress is %s", (message, fields, progress) => {
  const changes: RunChange[] = [];
  const end = feed.subscribe((change) => changes.push(change));
  observe(message, fields);
  end();
  expect(changes).toEqual([{ runId: "run-1", workspaceId: "ws-1", progress }]);
  expect(feed.progressOf("run-1")).toBe(progress);
});

it("tells nobody of lines that are about no run", () => {
  const changes: RunChange[] = [];
  const end = feed.subscribe((change) => changes.push(change));
  feed.observe({ kind: "log", atMs: 0, function: "f", requestId: "r", stream: "stdout", line: "plain text" });
  observe("cycle_ended", { runId: undefined });
  end();
  expect(changes).toEqual([]);
});
