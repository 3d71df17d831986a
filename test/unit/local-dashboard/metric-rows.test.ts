import { describe, expect, it } from "vitest";
import { metricWidgetSchema } from "../../../local/dashboard/body.ts";
import { metricRows, withPeriod } from "../../../local/dashboard/metric-rows.ts";

const rowsOf = (metrics: unknown, more: object = {}) =>
  metricRows(metricWidgetSchema.parse({ metrics, ...more }), (wanted) => wanted);
const metricsOf = (metrics: unknown) => rowsOf(metrics).map(({ query }) => query.what);

describe("the rows of a metric widget", () => {
  it("names a metric with its dimensions, and takes statistic and period from the widget", () => {
    expect(rowsOf([["StudioRunner", "Heartbeats", "pool", "a"]], { stat: "Sum", period: 60 })).toEqual([
      {
        query: {
          id: "row1",
          label: undefined,
          periodSeconds: 60,
          returnData: true,
          what: {
            metric: { namespace: "StudioRunner", name: "Heartbeats", dimensions: { pool: "a" }, stat: "Sum" },
          },
        },
        color: undefined,
        axis: "left",
      },
    ]);
  });

  it("lets a row's own options go before the widget's", () => {
    const options = {
      id: "m",
      label: "L",
      stat: "p95",
      period: 300,
      visible: false,
      yAxis: "right",
      color: "#123456",
    };
    expect(rowsOf([["N", "M", options]], { stat: "Sum", period: 60 })).toMatchObject([
      {
        query: {
          id: "m",
          label: "L",
          periodSeconds: 300,
          returnData: false,
          what: { metric: { stat: "p95" } },
        },
        axis: "right",
        color: "#123456",
      },
    ]);
  });

  it("takes what a dot stands for from the row above", () => {
    expect(
      metricsOf([
        ["N", "One", "pool", "a", "model", "x"],
        [".", "Two", ".", "b", ".", "."],
      ])[1],
    ).toEqual({
      metric: { namespace: "N", name: "Two", dimensions: { pool: "b", model: "x" }, stat: "Average" },
    });
  });

  it("takes all that is not replaced from the row above for three dots", () => {
    expect(
      metricsOf([
        ["N", "One", "pool", "a", "model", "x"],
        ["...", "y"],
      ])[1],
    ).toEqual({
      metric: { namespace: "N", name: "One", dimensions: { pool: "a", model: "y" }, stat: "Average" },
    });
  });

  it("looks past a row of an expression for what a dot stands for", () => {
    expect(metricsOf([["N", "One"], [{ expression: "row1 * 2" }], [".", "Two"]])).toEqual([
      { metric: { namespace: "N", name: "One", dimensions: {}, stat: "Average" } },
      { expression: "row1 * 2" },
      { metric: { namespace: "N", name: "Two", dimensions: {}, stat: "Average" } },
    ]);
  });

  it.each([[[["N"]]], [[["N", "M", "pool"]]]])("refuses %j, which names no metric", (metrics) => {
    expect(() => rowsOf(metrics)).toThrow(/names no metric/);
  });

  it("gives a SEARCH the query's period, and leaves everything else as it is", () => {
    const expression = `SUM(SEARCH('{N,pool} MetricName="A"', 'Sum', 60)) + SEARCH('{N} B', 'p95') / 60`;
    const query = { id: "e", periodSeconds: 900, returnData: true, what: { expression } };
    expect(withPeriod(query).what).toEqual({
      expression: `SUM(SEARCH('{N,pool} MetricName="A"', 'Sum', 900)) + SEARCH('{N} B', 'p95') / 60`,
    });
  });
});
