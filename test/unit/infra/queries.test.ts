import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { memoryQuery, queryRows, queryText } from "../../../infra/monitoring/queries.ts";
import { monitored } from "./monitored.ts";

const stack = monitored({ stackName: "Nightly" });
const queries = stack.resources("AWS::Logs::QueryDefinition").map(({ Properties }) => Properties);
const log = readFileSync(join(import.meta.dirname, "../../../lib/core/log.ts"), "utf8");
const events = new Set([...log.matchAll(/^ {2}\| "(\w+)"/gm)].map(([, name]) => name));
const fields = new Set([...log.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name]) => name));
/** Fields of CloudWatch Logs and of the logger that lib/core/log.ts does not list. */
const common = new Set(["@timestamp", "message", "service", "function_request_id"]);
const words = new Set("fields filter stats sort limit by as and or asc desc count sum max".split(" "));
const texts = Object.values(queryRows).map((row) => [row.title, queryText(row)] as const);

describe("saved queries", () => {
  it("are named under a folder of their stack and pool", () => {
    for (const { Name } of queries) expect(Name).toMatch(/^Nightly\/default\/[A-Z][a-z ]+$/);
  });

  it("read the logs of the pool's functions", () => {
    const logs = ["Dispatcher", "Processor", "Recovery"].map((part) => `PoolDefault${part}RunnerLog`);
    expect(queries.map(({ LogGroupNames }) => LogGroupNames)).toEqual([logs, logs, logs, logs, [logs[0]]]);
  });

  it("are checked against the events and fields found in lib/core/log.ts", () => {
    expect(events).toContain("cycle_ended");
    expect(fields).toContain("elapsedMs");
  });

  it.each(texts)("use only known log events: %s", (_, text) => {
    const named = [...text.matchAll(/message = "(\w+)"/g)].map(([, name]) => name);
    expect(named.filter((name) => !events.has(name))).toEqual([]);
  });

  it.each(texts)("use only known log fields: %s", (_, text) => {
    const made = new Set([...text.matchAll(/ as (\w+)/g)].map(([, name]) => name));
    const named = text.replaceAll(/"[^"]*"/g, "").match(/@?[A-Za-z_]\w*/g) ?? [];
    const known = (name: string): boolean => [words, made, common, fields].some((set) => set.has(name));
    expect(named.filter((name) => !known(name))).toEqual([]);
  });
});

it("the query of failures has this text in the syntax of Logs Insights", () => {
  expect(queryText(queryRows.failures)).toBe(
    'fields state as State, reason as Why\n| filter message = "run_ended"\n| filter State = "failed" or State = "lost"\n| stats count(*) as Runs by State, Why\n| sort Runs desc',
  );
});

it("the memory query reads Lambda's report of each invocation", () => {
  expect(queryText(memoryQuery)).toContain('filter type = "platform.report"');
});
