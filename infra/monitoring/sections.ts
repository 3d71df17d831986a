import { Color, type IAlarmRef, type IWidget } from "aws-cdk-lib/aws-cloudwatch";
import type { Watched } from "./metric.ts";
import { functionsSection, logsSection } from "./platform-sections.ts";
import { readings } from "./readings.ts";
import { alarmStates, counts, graph, numbers, type Section } from "./widgets.ts";

const minutes = (count: number): number => count * 60;

export function sectionsOf(watched: Watched, alarms: readonly IAlarmRef[]): readonly Section[] {
  return [
    working(watched, alarms),
    queue(watched),
    outcomes(watched),
    inference(watched),
    leases(watched),
    functionsSection(watched),
    logsSection(watched),
  ];
}

function working(watched: Watched, alarms: readonly IAlarmRef[]): Section {
  const { count, read, summed } = readings(watched);
  const capped = watched.pool.dailyCapUsd !== undefined;
  const spent = capped ? [read("DailySpendPercent", "Maximum", "daily cap used, %")] : [];
  return {
    title: "Is it working",
    rows: [
      [
        numbers({ title: "In the time shown", good: "polls above 0, no run failed or lost" }, [
          count("GoodPolls", "good polls"),
          count("JobsLeased", "leased"),
          count("RunsCompleted", "completed"),
          count("RunsFailed", "failed"),
          count("RunsLost", "lost"),
          summed("CostUsd", "cost, USD"),
          ...spent,
        ]),
      ],
      [alarmStates({ title: "Alarms", good: "all OK" }, alarms)],
    ],
  };
}

function queue(watched: Watched): Section {
  const { count, read, split } = readings(watched);
  const { concurrency } = watched.pool;
  return {
    title: "Queue",
    rows: [
      [
        counts({
          title: "Cycles by reason",
          good: "one a minute: leased, empty or at_capacity",
          width: 8,
          unit: "cycles",
          metrics: [split("Cycles")],
        }),
        graph({
          title: "Time in queue",
          good: "p50 of seconds; minutes mean a full pool",
          width: 8,
          unit: "seconds",
          metrics: [read("TimeInQueueSeconds", "p50", "p50"), read("TimeInQueueSeconds", "p95", "p95")],
        }),
        graph({
          title: "Capacity",
          good: "free capacity above 0 most of the time",
          width: 8,
          unit: "runs",
          metrics: [read("InFlight", "Maximum", "in flight"), read("FreeCapacity", "Minimum", "free")],
          limit: { value: concurrency, label: `concurrency ${concurrency}` },
        }),
      ],
      [
        counts({
          title: "Leases",
          good: "none dropped",
          width: 24,
          unit: "jobs",
          metrics: [
            count("JobsLeased", "leased"),
            count("LeasesDropped", "dropped"),
            count("WorkspacesLeftAlone", "left alone"),
          ],
        }),
      ],
    ],
  };
}

function outcomes(watched: Watched): Section {
  const { count, split } = readings(watched);
  const reason = { width: 8, unit: "runs" } as const;
  const byOutcome = [
    count("RunsCompleted", "completed", Color.GREEN),
    count("RunsFailed", "failed", Color.RED),
    count("RunsLost", "lost", Color.ORANGE),
  ];
  return {
    title: "Outcomes",
    rows: [
      [
        counts({
          ...reason,
          title: "Runs by outcome",
          good: "completed, as many as were leased",
          metrics: byOutcome,
        }),
        counts({ ...reason, title: "Failed by reason", good: "empty", metrics: [split("RunsFailed")] }),
        counts({ ...reason, title: "Lost by reason", good: "empty", metrics: [split("RunsLost")] }),
      ],
      [
        counts({
          ...reason,
          unit: "attempts",
          title: "Restarts by reason",
          good: "empty",
          metrics: [split("Restarts")],
        }),
        counts({
          title: "Continuations and duplicates",
          good: "continuations only with long jobs, hardly any duplicate",
          width: 8,
          unit: "attempts",
          metrics: [count("Continuations", "continuations"), count("Duplicates", "duplicates")],
        }),
        runTime(watched),
      ],
    ],
  };
}

function runTime(watched: Watched): IWidget {
  const { read } = readings(watched);
  const { runLimitMinutes } = watched.pool;
  return graph({
    title: "Run time",
    good: "far below the run limit",
    width: 8,
    unit: "seconds",
    metrics: [
      read("RunSeconds", "p50", "p50"),
      read("RunSeconds", "p95", "p95"),
      read("RunSeconds", "Maximum", "longest"),
    ],
    limit: { value: minutes(runLimitMinutes), label: `run limit ${runLimitMinutes} min` },
  });
}

function inference(watched: Watched): Section {
  const { split } = readings(watched);
  return {
    title: "Inference, tokens and cost",
    rows: [
      [
        graph({
          title: "Round, p95 by model",
          good: "as yesterday",
          width: 8,
          unit: "seconds",
          metrics: [split("InferenceSeconds", "p95")],
        }),
        counts({
          title: "Tokens by model and kind",
          good: "in step with the completed runs",
          width: 8,
          unit: "tokens",
          metrics: [split("Tokens")],
        }),
        counts({
          title: "Estimated cost by model",
          good: "in step with the completed runs",
          width: 8,
          unit: "USD",
          metrics: [split("CostUsd")],
        }),
      ],
    ],
  };
}

function leases(watched: Watched): Section {
  const { count, read } = readings(watched);
  return {
    title: "Leases and heartbeats",
    rows: [
      [
        counts({
          title: "Heartbeats",
          good: "hardly any failed",
          width: 8,
          unit: "heartbeats",
          metrics: [count("Heartbeats", "accepted"), count("HeartbeatsFailed", "failed")],
        }),
        graph({
          title: "Lease left at start",
          good: "near 100 %",
          width: 8,
          unit: "percent",
          metrics: [read("LeaseLeftPercent", "Minimum", "least")],
          limit: {
            value: watched.settings.monitoring.thresholds.leaseLeftPercent,
            label: "alarm below",
          },
        }),
        counts({
          title: "Refusals",
          good: "empty",
          width: 8,
          unit: "calls",
          metrics: [
            count("KeysRefused", "keys refused"),
            count("RunStoreThrottles", "run store throttles"),
            count("TierFallbacks", "tier fallbacks"),
          ],
        }),
      ],
    ],
  };
}
