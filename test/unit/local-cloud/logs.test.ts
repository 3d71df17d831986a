import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { CloudEventBody } from "../../../local/cloud/events.ts";
import { compileFilter } from "../../../local/cloud/logs/filter-pattern.ts";
import { queryLogs } from "../../../local/cloud/logs/log-queries.ts";
import { createLogStore, type LogStoreOptions } from "../../../local/cloud/logs/log-store.ts";
import type { FunctionResource } from "../../../local/cloud/resources.ts";
import { temporaryFolder } from "./fixture.ts";

const worker = {
  label: "worker",
  memoryMb: 256,
  log: { format: "JSON", level: "INFO", group: "/log/worker" },
} as FunctionResource;

const log = (line: string): CloudEventBody => ({
  kind: "log",
  function: "worker",
  requestId: "r",
  stream: "stdout",
  line,
});

function storeOf(events: readonly CloudEventBody[], options?: LogStoreOptions) {
  const store = createLogStore({ functions: [worker], logGroups: ["/log/empty"] }, options);
  for (const [index, event] of events.entries()) store.observe({ ...event, atMs: index * 1_000 });
  return store;
}

const everything = { startMs: 0, endMs: 1_000_000 };

it("a log group has its function's output, and Lambda's report at the end of an invocation", () => {
  const store = storeOf([
    log("one"),
    { kind: "end", function: "worker", requestId: "r", pid: 1, durationMs: 12.5, maxMemoryMb: 80.4 },
    { kind: "schedule", schedule: "s", function: "worker", requestId: "r" },
  ]);

  const [first, report] = store.lines("/log/worker", everything) ?? [];
  expect(first).toMatchObject({ atMs: 0, text: "one" });
  expect(report?.atMs).toBe(1_000);
  expect(JSON.parse(report?.text ?? "")).toMatchObject({
    type: "platform.report",
    record: { requestId: "r", metrics: { billedDurationMs: 13, memorySizeMB: 256, maxMemoryUsedMB: 80 } },
  });
  expect(store.lines("/log/empty", everything)).toEqual([]);
  expect(store.lines("/log/other", everything)).toBeUndefined();
});

it("a full log group drops its oldest lines", () => {
  const twelve = Array.from({ length: 12 }, (_, index) => log(String(index)));
  const lines = storeOf(twelve, { maxLines: 10 }).lines("/log/worker", everything) ?? [];

  expect(lines.map(({ text }) => text).join(" ")).toBe("2 3 4 5 6 7 8 9 10 11");
});

it("log lines in a file are there after a restart", () => {
  const options = { file: join(temporaryFolder("logs-"), "cloud/logs.sqlite") };
  const first = storeOf([log("one")], options);
  first.close();
  first.observe({ ...log("too late"), atMs: 2 });
  const lines = storeOf([log("two")], options).lines("/log/worker", everything) ?? [];

  expect(lines.map(({ id, text }) => `${id} ${text}`)).toEqual(["1 one", "2 two"]);
});

it("a file that holds no log lines is named in the error", () => {
  const file = join(temporaryFolder("logs-"), "logs.sqlite");
  writeFileSync(file, "not a database, but a text that is long enough".repeat(20));

  expect(() => storeOf([], { file })).toThrow(
    `the log lines in ${file} cannot be read (file is not a database): delete the file`,
  );
});

const line = JSON.stringify({
  message: "run_ended",
  runId: "01AB",
  ms: 12,
  ok: true,
  error: { name: "E" },
  tags: ["a"],
});

it.each([
  ["", true],
  ["run_ended", true],
  ["run_ended 01AB", true],
  ["run_ended nothing", false],
  ["-nothing run_ended", true],
  ["-run_ended", false],
  ["?nothing ?01AB", true],
  ["?nothing ?more", false],
  ['"run_ended\\",\\"runId"', true],
  ['{ $.runId = "01AB" }', true],
  ['{ $.runId = "01" }', false],
  ['{ $.runId = "01*" }', true],
  ["{ $.message = run_ended }", true],
  ['{ $.runId != "02" }', true],
  ['{ $.nothing != "02" }', false],
  ['{ ($.message = "run_ended") && ($.ms > 5) }', true],
  ["{ $.ms >= 13 || $.ms < 12 }", false],
  ["{ $.ms = 12 }", true],
  ["{ $.ok = true }", true],
  ['{ $.error.name = "E" }', true],
  ['{ $.tags.0 = "a" }', true],
])("the filter pattern %s gives %s for the line", (pattern, expected) => {
  expect(compileFilter(pattern)(line)).toBe(expected);
});

it.each(["{ $.a IS NULL }", "{ $.a = 01* }", "{ $.a = 1", "{ runId }", "[a, b]", "%x%"])(
  "the filter pattern %s is rejected",
  (pattern) => {
    expect(() => compileFilter(pattern)).toThrow("Invalid filter pattern");
  },
);

it("a pattern for a field does not match a line that is not JSON", () => {
  expect(compileFilter("{ $.a != 1 }")("plain")).toBe(false);
});

const ended = (runId: string, fields: object): CloudEventBody =>
  log(JSON.stringify({ message: "run_ended", runId, ...fields }));

const runs = storeOf([
  log(JSON.stringify({ message: "attempt_started", runId: "a" })),
  ended("a", { state: "completed", ms: 100, tokens: 5, workspace: "w1" }),
  ended("b", { state: "failed", reason: "timeout", ms: 300, workspace: "w1" }),
  ended("c", { state: "failed", reason: "timeout", ms: 200, tokens: 7, workspace: "w2" }),
  log("not JSON"),
]);

const query = (text: string) => queryLogs(runs, { query: text, groups: ["/log/worker"], ...everything });

it("a query without columns returns time and message, newest first", () => {
  const { columns, rows, scanned } = query("limit 2");

  expect(columns).toEqual(["@timestamp", "@message"]);
  expect(rows.map((row) => row["@timestamp"])).toEqual([
    "1970-01-01 00:00:04.000",
    "1970-01-01 00:00:03.000",
  ]);
  expect(rows[0]?.["@message"]).toBe("not JSON");
  expect(scanned).toBe(5);
});

/** Expected results: cells separated by spaces, rows by semicolons. */
it.each([
  ['fields runId | filter message = "run_ended" | sort ms desc', "b; c; a"],
  ["fields runId, ms / 100 as tenths | filter ms >= 200 | sort @timestamp asc", "b 3; c 2"],
  ["fields runId | filter ispresent(tokens) and not (ms > 150) | sort runId", "a"],
  ['fields runId | filter reason like "time" | sort runId', "b; c"],
  ["fields runId | filter reason like /^TIME/ | sort runId", ""],
  ["fields runId | filter reason like /(?i)^TIME/ | sort runId", "b; c"],
  ["fields runId | filter message = 'run_ended' and reason not like /time/ | sort runId", "a"],
  ['fields runId | filter runId in ["a", "c"] and ispresent(ms) | sort runId', "a; c"],
  ["fields runId | filter runId not in ['a', 'c'] and ispresent(ms)", "b"],
  [
    'filter message = "run_ended" | stats count(*) as runs by state, reason | sort runs desc',
    "failed timeout 2; completed none 1",
  ],
  [
    "filter ispresent(ms) | stats sum(ms), avg(ms) as mean, min(ms), max(ms), pct(ms, 50)",
    "600 200 100 300 200",
  ],
  ["stats count(tokens), count_distinct(workspace)", "2 2"],
  ["filter ispresent(ms) | stats sum(ms) / count(*) as mean by workspace | sort workspace", "w1 200; w2 200"],
  [
    "filter ispresent(ms) | stats max(ms) by bin(2s) | sort @timestamp",
    "1970-01-01 00:00:00 100; 1970-01-01 00:00:02 300",
  ],
  ["stats count(*) as n", "5"],
  ["filter ispresent(workspace) | dedup workspace | fields runId | sort runId", "b; c"],
  ["fields concat(runId, '/', state) as key | filter ispresent(state) | sort key | limit 1", "a/completed"],
  [
    "fields coalesce(reason, state, 'none') as why | filter ispresent(ms) | display why | sort why",
    "completed; timeout; timeout",
  ],
  ["# a comment | with a bar\nfields runId | filter ms = 100", "a"],
  ["fields runId | filter @message like 'not JSON | really'", ""],
])("the query %s returns %s", (text, expected) => {
  const { columns, rows } = query(text);
  const cells = rows.map((row) => columns.map((name) => row[name] ?? "none").join(" "));

  expect(cells.join("; ")).toBe(expected);
});

it.each([
  ["parse @message '*' as x", 'the command "parse"'],
  ["filter", "the expression ends too early"],
  ["stats stddev(ms)", "the function stddev"],
  ["fields made_up(ms)", "the function made_up"],
  ["limit none", '"limit none"'],
  ["filter ms ~ 3", 'unexpected "~"'],
])("the query %s is rejected", (text, message) => {
  expect(() => query(text)).toThrow(message);
});
