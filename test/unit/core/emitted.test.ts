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
describe.each(rows)("%s", (name, row) => {
  it("is emitted with exactly its dimensions", () => {
    const sets = new Set(of(name).map(({ dimensions }) => Object.keys(dimensions).toSorted().join()));
    expect([...sets]).toEqual([[...row.dimensions].toSorted().join()]);
  });

  it("is emitted by the parts that the table names", () => {
    const parts = new Set(of(name).map(({ part }) => part));
    expect([...parts].toSorted()).toEqual([...row.emitter].toSorted());
  });

  it("has a value of 0 or more, and no empty dimension", () => {
    for (const { value, dimensions } of of(name)) {
      expect(Number.isFinite(value) && value >= 0, `${value}`).toBe(true);
      expect(Object.values(dimensions)).not.toContain("");
    }
  });
});

it("every metric that an alarm or a widget names is emitted with those dimensions", () => {
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
