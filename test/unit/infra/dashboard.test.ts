import { describe, expect, it } from "vitest";
import { metricTable } from "../../../lib/core/metrics.ts";
import { isEmitted, metricsOf, monitored, widgetsOf } from "./monitored.ts";
import { shortName, type Resource } from "./synthesized.ts";

const stack = monitored({}, { dailyCapUsd: 20 });
const dashboard: Resource = stack.resource("AWS::CloudWatch::Dashboard");
const widgets = widgetsOf(dashboard);
const drawn = widgets.flatMap(metricsOf);

describe("the dashboard of a pool", () => {
  it("states in the title of every widget what good looks like", () => {
    const titles = widgets
      .filter(({ type }) => type !== "text")
      .map(({ properties }) => properties.title ?? "");
    expect(titles.length).toBeGreaterThan(20);
    for (const title of titles) expect(title).toMatch(/^[A-Z][^·]+ · good: [^·\n]{2,60}$/);
  });

  it("shows every metric that the runner emits", () => {
    const names = new Set(drawn.map(({ name }) => name));
    expect(Object.keys(metricTable).filter((name) => !names.has(name))).toEqual([]);
  });

  it("shows only metrics that are emitted with exactly those dimensions", () => {
    expect(drawn.filter((metric) => !isEmitted(metric))).toEqual([]);
  });

  it("splits these metrics by reason or model", () => {
    const split = drawn.filter(({ dimensions }) => dimensions.length > 1).map(({ name }) => name);
    expect([...new Set(split)].toSorted().join(" ")).toBe(
      "CostUsd Cycles InferenceSeconds Restarts RunsFailed RunsLost Tokens",
    );
  });

  it("shows the state of every alarm, including Page", () => {
    const [states] = widgets.filter(({ type }) => type === "alarm");
    const all = [
      ...stack.resources("AWS::CloudWatch::Alarm"),
      stack.resource("AWS::CloudWatch::CompositeAlarm"),
    ];
    const arns = all.map(({ logicalId }) => `${shortName(logicalId)}.Arn`);
    expect(states?.properties.alarms?.toSorted()).toEqual(arns.toSorted());
  });
});

describe("the limits on the dashboard", () => {
  const limits = (found: typeof widgets): readonly string[] =>
    found
      .flatMap(({ properties }) => [
        ...JSON.stringify(properties).matchAll(/"value":(\d+),"label":"([^"]+)"/g),
      ])
      .map(([, value, label]) => `${label}: ${value}`);

  it("follow from the settings", () => {
    const other = monitored({}, { concurrency: 7, runLimitMinutes: 90, processor: { timeoutSeconds: 600 } });
    expect(limits(widgetsOf(other.resource("AWS::CloudWatch::Dashboard")))).toEqual([
      "concurrency 7: 7",
      "run limit 90 min: 5400",
      "alarm below: 50",
      "ended by Lambda: 100",
    ]);
  });

  it("relate the longest invocation of each function to that function's timeout", () => {
    const longest = widgets.find(({ properties }) => properties.title?.startsWith("Longest invocation"));
    const expressions = JSON.stringify(longest).match(/100 \* \w+ \/ \d+/g);
    expect(expressions).toEqual([
      "100 * dispatcher / 75000",
      "100 * processor / 900000",
      "100 * recovery / 60000",
    ]);
  });
});

it("the dashboard of a pool without a cap does not show the share of the cap", () => {
  const plain = widgetsOf(monitored().resource("AWS::CloudWatch::Dashboard"));
  expect(plain.flatMap(metricsOf).map(({ name }) => name)).not.toContain("DailySpendPercent");
});
