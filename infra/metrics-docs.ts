import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  dimensionSetsOf,
  metricNames,
  metricsNamespace,
  metricTable,
  type MetricRow,
} from "../lib/core/metrics.ts";
import { markdownTable } from "./markdown-table.ts";

/** The page docs/metrics.md. */
export function renderMetrics(): string {
  const rows = metricNames.map((name) => {
    const { unit, statistic, meaning, emitter }: MetricRow = metricTable[name];
    const sets = dimensionSetsOf(name).map((set) => set.join(", "));
    return [`\`${name}\``, meaning, sets.join("; "), emitter.join(", "), unit, statistic];
  });
  return `${[...intro, ...markdownTable([["metric", "meaning", "dimensions", "emitted by", "unit", "statistic"], ...rows])].join("\n")}\n`;
}

const intro = [
  "# Metrics",
  "",
  "Written by `npm run metrics-docs` from `lib/core/metrics.ts`, through which every metric is emitted, and from which dashboard and alarms are",
  `built. Namespace \`${metricsNamespace}\`. They leave the functions as log lines in the embedded metric format, so that none is lost with`,
  "a function that is killed. The construct's methods read a metric by the statistic in the table unless asked for another. Where two sets of dimensions are given, each value is counted under both: the second is the sum, for alarms.",
  "",
  "CloudWatch bills each distinct set of dimension values as a metric, by the hour in which it has data. So nothing unbounded is a dimension,",
  "and a cycle with nothing to do emits two metrics only (three with a daily cap).",
  "",
];

function main(): void {
  writeFileSync(fileURLToPath(new URL("../docs/metrics.md", import.meta.url)), renderMetrics());
}

if (import.meta.main) main();
