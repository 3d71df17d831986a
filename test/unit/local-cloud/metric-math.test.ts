import { expect, it } from "vitest";
import { queryMetrics } from "../../../local/cloud/monitoring/metric-data.ts";
import { metricQuerySchema } from "../../../local/cloud/monitoring/metric-query.ts";
import { createMetricStore } from "../../../local/cloud/monitoring/metric-store.ts";

const minute = 60_000;
const range = { startMs: 0, endMs: 4 * minute };

/** Minutes 0 to 3; a gap is undefined. */
const data: Readonly<Record<string, readonly (number | undefined)[]>> = {
  a: [1, 2, undefined, 4],
  b: [10, undefined, undefined, 40],
  zero: [0, 0, 0, 0],
  silent: [],
};

const store = createMetricStore();
for (const [name, row] of Object.entries(data)) {
  row.forEach((value, index) => {
    if (value === undefined) return;
    store.add({ namespace: "N", name, dimensions: { pool: "user" } }, { atMs: index * minute, value });
  });
}
for (const [reason, value] of [
  ["crash", 1],
  ["timeout", 2],
] as const) {
  const common = { namespace: "N", name: "Failed" };
  store.add({ ...common, dimensions: { pool: "user", reason } }, { atMs: 0, value });
  store.add({ ...common, dimensions: { pool: "user" } }, { atMs: 0, value });
}

const stat = (MetricName: string, Stat = "Sum") => ({
  Metric: { Namespace: "N", MetricName, Dimensions: [{ Name: "pool", Value: "user" }] },
  Period: 60,
  Stat,
});

function run(expression: string, label?: string) {
  const metrics = Object.keys(data).map((Id) => ({ Id, MetricStat: stat(Id), ReturnData: false }));
  const queries = [{ Id: "e", Expression: expression, Label: label }, ...metrics].map((query) =>
    metricQuerySchema.parse(query),
  );
  return queryMetrics(store, queries, range);
}

/** The values of the only series, by minute. */
function values(expression: string): readonly (number | undefined)[] {
  const [series, ...others] = run(expression);
  expect(others).toEqual([]);
  const byTime = new Map(series?.points.map(({ atMs, value }) => [atMs, value]));
  return [0, 1, 2, 3].map((index) => byTime.get(index * minute));
}

const none = undefined;

it.each<[string, readonly (number | undefined)[]]>([
  ["a", [1, 2, none, 4]],
  ["a + b", [11, none, none, 44]],
  ["a * 2 - 1", [1, 3, none, 7]],
  ["2 + 3 * a", [5, 8, none, 14]],
  ["(2 + 3) * a", [5, 10, none, 20]],
  ["-a", [-1, -2, none, -4]],
  ["a ^ 2", [1, 4, none, 16]],
  ["a / zero", [none, none, none, none]],
  ["100 * a / (a + b)", [100 / 11, none, none, 400 / 44]],
  ["a >= 2", [0, 1, none, 1]],
  ["a > 1 AND a < 4", [0, 1, none, 0]],
  ["a == 1 || a == 4", [1, 0, none, 1]],
  ["FILL(a, 0)", [1, 2, 0, 4]],
  ["FILL(a, REPEAT)", [1, 2, 2, 4]],
  ["FILL(silent, 0)", [0, 0, 0, 0]],
  ["FILL(a, 0) + FILL(b, 0)", [11, 2, 0, 44]],
  ["IF(a > 1, a, 0)", [0, 2, none, 4]],
  ["IF(FILL(a, 0) >= 2, 100 * b / a, 0)", [0, none, 0, 1000]],
  ["IF(1, a, b)", [1, 2, none, 4]],
  ["SUM([a, b])", [11, 2, none, 44]],
  ["SUM(METRICS())", [11, 2, 0, 44]],
  ['SUM(METRICS("b"))', [10, none, none, 40]],
  ["MAX([a, b])", [10, 2, none, 40]],
  ["MIN([a, b])", [1, 2, none, 4]],
  ["AVG([a, b])", [5.5, 2, none, 22]],
  ["SUM(a)", [7, 7, 7, 7]],
  ["a / SUM(a)", [1 / 7, 2 / 7, none, 4 / 7]],
  ["RUNNING_SUM(a)", [1, 3, none, 7]],
  ["DIFF(a)", [none, 1, none, 2]],
  ["RATE(a)", [none, 1 / 60, none, 2 / 120]],
  ["CEIL(a / 2)", [1, 1, none, 2]],
  ["FLOOR(ABS(-a) / 2)", [0, 1, none, 2]],
  ["TIME_SERIES(5)", [5, 5, 5, 5]],
  ["a / PERIOD(a)", [1 / 60, 2 / 60, none, 4 / 60]],
  ["METRIC_COUNT(METRICS())", [4, 4, 4, 4]],
  [`SUM(SEARCH('{N,pool,reason} MetricName="Failed"', 'Sum', 60))`, [3, none, none, none]],
  [`SUM(SEARCH('{N,nothing}', 'Sum', 60))`, [none, none, none, none]],
])("%s is %j in the minutes 0 to 3", (expression, expected) => {
  const rounded = (value: number | undefined) => (value === undefined ? value : Number(value.toFixed(10)));

  expect(values(expression).map(rounded)).toEqual(expected.map(rounded));
});

it.each([
  [`{N,pool,reason} MetricName="Failed"`, ["crash", "timeout"]],
  [`{N,reason,pool} MetricName="Failed" pool="user" reason="crash"`, ["Failed"]],
  [`{N,pool,reason} reason=("crash" OR "timeout")`, ["crash", "timeout"]],
  [`{N,pool,reason} NOT reason="crash"`, ["Failed"]],
  [`{N,pool,reason} reason=time`, ["Failed"]],
  [`{N,pool,reason} reason="time"`, []],
  [`{N,pool} MetricName="Failed"`, ["Failed"]],
  [`{Other,pool}`, []],
  [`Failed timeout`, ["Failed"]],
])("a search for %s returns one series per metric", (text, labels) => {
  expect(run(`SEARCH('${text}', 'Sum', 60)`).map(({ label }) => label)).toEqual(labels);
});

it("a dynamic label names each series of a search", () => {
  const search = `SEARCH('{N,pool,reason} MetricName="Failed"', 'Sum', 60)`;

  const labels = run(search, "${PROP('Dim.reason')} of ${PROP('MetricName')}").map(({ label }) => label);
  expect(labels).toEqual(["crash of Failed", "timeout of Failed"]);
});

it.each([
  ["MADE_UP(a)", "the function MADE_UP"],
  ["a +", "the expression ends too early"],
  ["a b", 'unexpected "b"'],
  ["a & b", 'unexpected "&"'],
  ["missing + 1", "No query has the id missing."],
  ["e + 1", "The query e refers to itself."],
  ["'text'", "The expression is a text, not data."],
  ["[a, b] + [a, b]", "+ between two lists of series"],
  ["FILL(a, LINEAR)", "No query has the id LINEAR."],
])("the expression %s is rejected", (expression, message) => {
  expect(() => run(expression)).toThrow(message);
});

it("periods start at multiples of their length, or at the start of a sliding range", () => {
  const queries = [metricQuerySchema.parse({ Id: "a", MetricStat: { ...stat("a"), Period: 120 } })];
  const shifted = { startMs: minute, endMs: 4 * minute };

  expect(queryMetrics(store, queries, shifted)[0]?.points).toEqual([
    { atMs: 0, value: 3 },
    { atMs: 2 * minute, value: 4 },
  ]);
  expect(queryMetrics(store, queries, { ...shifted, sliding: true })[0]?.points).toEqual([
    { atMs: minute, value: 2 },
    { atMs: 3 * minute, value: 4 },
  ]);
});
