import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  dimensionSetsOf,
  metricsNamespace,
  metricTable,
  type MetricName,
  type MetricRow,
} from "../../../lib/core/metrics.ts";
import { emitEverything, type Emission } from "../../support/every-metric.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";
import { alarmsOf, metricsOf, monitored, widgetsOf } from "../infra/monitored.ts";

let local: LocalTable;
let emissions: readonly Emission[];
beforeAll(async () => {
  local = await startLocalTable();
  emissions = await emitEverything(local);
}, 60_000);
afterAll(() => local.close());

const rows = Object.entries(metricTable) as (readonly [MetricName, MetricRow])[];
const of = (name: MetricName): readonly Emission[] => emissions.filter((one) => one.name === name);
const byAct = (act: string): readonly string[] =>
  emissions.filter((one) => one.act === act).map(({ name, value }) => `${name} ${value}`);
const reasonsOf = (name: MetricName): readonly string[] =>
  [...new Set(of(name).map(({ dimensions }) => dimensions["reason"] ?? ""))].toSorted();

describe.each(rows)("%s", (name, row) => {
  it("is emitted, with exactly its dimensions", () => {
    const sets = new Set(of(name).map(({ dimensions }) => Object.keys(dimensions).toSorted().join()));
    expect([...sets]).toEqual([[...row.dimensions].toSorted().join()]);
  });

  it("is emitted by those parts that the table names", () => {
    const parts = new Set(of(name).map(({ part }) => part));
    expect([...parts].toSorted()).toEqual([...row.emitter].toSorted());
  });

  it("is a number, not negative, under values that are not empty", () => {
    for (const { value, dimensions } of of(name)) {
      expect(Number.isFinite(value) && value >= 0, `${value}`).toBe(true);
      expect(Object.values(dimensions)).not.toContain("");
    }
  });
});

it("every metric that an alarm or a widget names was emitted with those dimensions", () => {
  const stack = monitored({}, { dailyCapUsd: 1 });
  const alarms = [...alarmsOf(stack).values()].flatMap(({ metrics }) => metrics);
  const widgets = widgetsOf(stack.resource("AWS::CloudWatch::Dashboard")).flatMap(metricsOf);
  const named = [...alarms, ...widgets].filter(({ namespace }) => namespace === metricsNamespace);
  const emitted = new Set(
    emissions.flatMap(({ name }) => dimensionSetsOf(name).map((set) => `${name} by ${set.join()}`)),
  );
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter(({ name, dimensions }) => !emitted.has(`${name} by ${dimensions.join()}`))).toEqual([]);
});

it("an idle cycle emits two metrics, and three where a cap is set", () => {
  expect(byAct("idle")).toEqual(["Cycles 1", "GoodPolls 1"]);
  expect(byAct("idle with a cap")).toEqual(["Cycles 1", "GoodPolls 1", "DailySpendPercent 0"]);
});

it("every kind of cycle has its reason", () => {
  expect(reasonsOf("Cycles")).toEqual([
    "at_capacity",
    "daily_cap",
    "empty",
    "key_refused",
    "leased",
    "model_rate_limited",
    "overlap",
    "paused",
    "rate_limited",
    "studio_unavailable",
  ]);
});

it("what ends runs is told by its reason", () => {
  expect(reasonsOf("RunsFailed")).toEqual(["crashed", "model_key_refused", "model_refused", "silent"]);
  expect(reasonsOf("RunsLost")).toEqual(["crashed", "key_refused", "lease_lost", "silent"]);
  expect(reasonsOf("Restarts")).toEqual(["crashed", "silent"]);
});

it("an attempt that completes tells of its lease, its job's wait, its inference, its run and its cost", () => {
  expect(byAct("completing")).toEqual([
    "LeaseLeftPercent 99.83333333333333",
    "TimeInQueueSeconds 9",
    expect.stringMatching(/^InferenceSeconds \d/),
    "Heartbeats 1",
    "RunsCompleted 1",
    expect.stringMatching(/^RunSeconds \d/),
    "Tokens 100",
    "Tokens 40",
    "Tokens 30",
    "Tokens 10",
    "CostUsd 0.00046",
  ]);
});
