import { describe, expect, it } from "vitest";
import { metricWidgetSchema } from "../../../local/dashboard/body.ts";
import { metricRows, withPeriod } from "../../../local/dashboard/metric-rows.ts";

const rowsOf = (metrics: unknown, more: object = {}) =>
  metricRows(metricWidgetSchema.parse({ metrics, ...more }), (wanted) => wanted);
const metricsOf = (metrics: unknown) => rowsOf(metrics).map(({ query }) => query.what);

const metricOf = (name: string, dimensions: object) => ({
  metric: { namespace: "N", name, dimensions, stat: "Average" },
});
const above = ["N", "One", "pool", "a", "model", "x"];

describe("the rows of a metric widget", () => {
  it("define a metric with its dimensions, and take statistic and period from the widget", () => {
    expect(rowsOf([["N", "M", "pool", "a"]], { stat: "Sum", period: 60 })).toMatchObject([
      {
        query: {
          id: "row1",
          periodSeconds: 60,
          returnData: true,
          what: { metric: { namespace: "N", name: "M", dimensions: { pool: "a" }, stat: "Sum" } },
        },
        axis: "left",
      },
    ]);
  });

  it("prefer their own options to the widget's", () => {
    const own = {
      id: "m",
      label: "L",
      stat: "p95",
      period: 300,
      visible: false,
      yAxis: "right",
      color: "#123",
    };
    const [row] = rowsOf([["N", "M", own]], { stat: "Sum", period: 60 });
    expect(row).toMatchObject({ axis: "right", color: "#123" });
    expect(row?.query).toMatchObject({
      id: "m",
      label: "L",
      periodSeconds: 300,
      returnData: false,
      what: { metric: { stat: "p95" } },
    });
  });

  it("replace a dot, or three dots, with values from the row above", () => {
    expect(metricsOf([above, [".", "Two", ".", "b", ".", "."], ["...", "y"]]).slice(1)).toEqual([
      metricOf("Two", { pool: "b", model: "x" }),
      metricOf("Two", { pool: "b", model: "y" }),
    ]);
  });

  it("skip rows of expressions when they replace a dot", () => {
    expect(metricsOf([["N", "One"], [{ expression: "row1 * 2" }], [".", "Two"]])).toEqual([
      metricOf("One", {}),
      { expression: "row1 * 2" },
      metricOf("Two", {}),
    ]);
  });

  it.each([[[["N"]]], [[["N", "M", "pool"]]]])(
    "are rejected without a metric name and complete dimensions: %j",
    (metrics) => {
      expect(() => rowsOf(metrics)).toThrow(/names no metric/);
    },
  );
});

it("withPeriod sets the period of a SEARCH with one, and changes nothing else", () => {
  const expression = `SUM(SEARCH('{N,pool} MetricName="A"', 'Sum', 60)) + SEARCH('{N} B', 'p95') / 60`;
  const query = { id: "e", periodSeconds: 900, returnData: true, what: { expression } };
  expect(withPeriod(query).what).toEqual({
    expression: `SUM(SEARCH('{N,pool} MetricName="A"', 'Sum', 900)) + SEARCH('{N} B', 'p95') / 60`,
  });
});
