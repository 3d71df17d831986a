import { Duration } from "aws-cdk-lib";
import { MathExpression, type IMetric } from "aws-cdk-lib/aws-cloudwatch";
import { bounds } from "../relations.ts";
import { lambdaMetric, queueMetric, type FunctionRole, type Watched } from "./metric.ts";
import { memoryQuery, queryRows } from "./queries.ts";
import { periodSeconds, readings, roles } from "./readings.ts";
import { counts, graph, table, type Section } from "./widgets.ts";

export function functionsSection(watched: Watched): Section {
  const { calls } = readings(watched);
  const dead = queueMetric("ApproximateNumberOfMessagesVisible", watched.deadLetters, {
    statistic: "Maximum",
    periodSeconds,
    label: "dead letters",
  });
  const each = { width: 6, unit: "invocations" } as const;
  return {
    title: "Functions",
    rows: [
      [
        graph({
          title: "Longest invocation",
          good: "below 100 % of its time-out",
          width: 6,
          unit: "percent of the time-out",
          metrics: roles.map((role) => ofTimeout(role, watched)),
          limit: { value: 100, label: "ended by Lambda" },
        }),
        counts({ ...each, title: "Errors", good: "empty", metrics: [...calls("Errors"), dead] }),
        counts({ ...each, title: "Throttles", good: "empty", metrics: calls("Throttles") }),
        counts({
          ...each,
          title: "Invocations",
          good: "one dispatcher a minute",
          metrics: calls("Invocations"),
        }),
      ],
      [table(memoryQuery, { width: 24, good: "used well below size", watched })],
    ],
  };
}

function ofTimeout(role: FunctionRole, { pool, functions }: Watched): IMetric {
  const timeoutMs = {
    dispatcher: pool.dispatcher.timeoutSeconds * 1000,
    processor: pool.processor.timeoutSeconds * 1000,
    recovery: bounds.recoveryTimeoutMs,
  }[role];
  const longest = lambdaMetric("Duration", functions[role], { statistic: "Maximum", periodSeconds });
  return new MathExpression({
    expression: `100 * ${role} / ${timeoutMs}`,
    usingMetrics: { [role]: longest },
    label: role,
    period: Duration.seconds(periodSeconds),
  });
}

export function logsSection(watched: Watched): Section {
  const half = { width: 12, watched } as const;
  return {
    title: "From the logs",
    rows: [
      [
        table(queryRows.failures, { ...half, good: "empty" }),
        table(queryRows.slowest, { ...half, good: "seconds to minutes" }),
      ],
      [
        table(queryRows.tokens, { ...half, good: "no workspace far above the others" }),
        table(queryRows.decisions, { ...half, good: "leased or empty, and polls above 0" }),
      ],
    ],
  };
}
