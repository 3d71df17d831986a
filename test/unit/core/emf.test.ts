import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderMetrics } from "../../../infra/metrics-docs.ts";
import { createEmfMetrics } from "../../../lib/core/emf.ts";
import { isMetricLine } from "../../../cli/parse-log-line.ts";
import { metricTable } from "../../../lib/core/metrics.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

function emitter() {
  const lines: string[] = [];
  const metrics = createEmfMetrics({
    clock: createFakeClock(1_760_000_000_000),
    writeLine: (line) => void lines.push(line),
  });
  return { lines, metrics };
}

describe("the line of a metric", () => {
  it("has its namespace, its dimensions, its unit and its value, and nothing else", () => {
    const { lines, metrics } = emitter();
    metrics.emit("RunSeconds", { pool: "eu" }, 1.5);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        _aws: {
          Timestamp: 1_760_000_000_000,
          CloudWatchMetrics: [
            {
              Namespace: "StudioRunner",
              Dimensions: [["pool"]],
              Metrics: [{ Name: "RunSeconds", Unit: "Seconds" }],
            },
          ],
        },
        pool: "eu",
        RunSeconds: 1.5,
      },
    ]);
  });

  it("has the pool as a second set of dimensions when the metric has totals", () => {
    const { lines, metrics } = emitter();
    metrics.emit("RunsFailed", { pool: "eu", reason: "model_refused" }, 1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Dimensions: [["pool", "reason"], ["pool"]] }] },
      pool: "eu",
      reason: "model_refused",
      RunsFailed: 1,
    });
  });

  it("leaves cancelled runs out of the total of failed ones, which an alarm watches", () => {
    const { lines, metrics } = emitter();
    metrics.emit("RunsFailed", { pool: "eu", reason: "cancelled" }, 1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Dimensions: [["pool", "reason"]] }] },
      reason: "cancelled",
    });
  });

  it("is a single line that cannot be mistaken for a log line", () => {
    const { lines, metrics } = emitter();
    metrics.emit("CostUsd", { pool: "eu", model: "a\nb" }, 0.25);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain("\n");
    expect(isMetricLine(lines[0]!)).toBe(true);
  });
});

describe("the table of metrics", () => {
  it("has only bounded dimensions, with the pool first", () => {
    for (const { dimensions } of Object.values(metricTable)) {
      expect(dimensions[0]).toBe("pool");
      const allowed = ["pool", "reason", "model", "kind"];
      expect(dimensions.filter((dimension) => !allowed.includes(dimension))).toEqual([]);
    }
  });

  it("matches docs/metrics.md (npm run metrics-docs)", () => {
    const page = readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8");
    expect(page).toBe(renderMetrics());
  });
});
