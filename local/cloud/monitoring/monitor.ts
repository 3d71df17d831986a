import type { CloudEvent } from "../events.ts";
import type { CloudPorts } from "../ports.ts";
import { createAlarms, type Alarms } from "./alarms.ts";
import { readEmf } from "./emf.ts";
import type { MetricRange } from "./math-values.ts";
import { queryMetrics, type MetricDataResult } from "./metric-data.ts";
import type { MetricQuery } from "./metric-query.ts";
import { createMetricStore, type MetricId } from "./metric-store.ts";
import { createPlatformMetrics } from "./platform-metrics.ts";

/** The local cloud's CloudWatch: metrics, and the template's alarms on them. */
export interface Monitor {
  readonly alarms: Alarms;
  observe(event: CloudEvent): void;
  /** Samples the queues and evaluates the alarms every minute, until the signal aborts. */
  start(signal: AbortSignal): void;
  /** Samples the queues, then evaluates every alarm as of `atMs`. */
  evaluate(atMs: number): void;
  metricData(queries: readonly MetricQuery[], range: MetricRange): readonly MetricDataResult[];
  metrics(): readonly MetricId[];
}

const sampleMs = 10_000;
const minuteMs = 60_000;

export function createMonitor(
  { clock, emit, stack, queues }: Pick<CloudPorts, "clock" | "emit" | "stack" | "queues">,
  region: string,
): Monitor {
  const startedMs = clock.now();
  const store = createMetricStore();
  const platform = createPlatformMetrics(store, stack);
  const alarms = createAlarms(stack, { store, emit }, { region, startedMs });

  function sample(atMs: number): void {
    const depths = queues.map((queue) => ({ name: queue.name, ...queue.depth() }));
    platform.sample(depths, atMs);
  }

  async function run(signal: AbortSignal): Promise<void> {
    // Skips the first, incomplete minute, because missing data before the start means nothing.
    let evaluatedMinute = Math.floor(startedMs / minuteMs) + 1;
    while (!signal.aborted) {
      const nowMs = clock.now();
      sample(nowMs);
      const minute = Math.floor(nowMs / minuteMs);
      if (minute > evaluatedMinute) {
        evaluatedMinute = minute;
        alarms.evaluate(nowMs);
      }
      await clock.sleep(sampleMs, signal);
    }
  }

  return {
    alarms,
    observe(event) {
      platform.observe(event);
      if (event.kind !== "log") return;
      for (const { metric, atMs, value } of readEmf(event.line)) store.add(metric, { atMs, value });
    },
    start(signal) {
      if (stack.alarms.length === 0 && queues.length === 0) return;
      run(signal).catch((reason: unknown) => {
        if (!signal.aborted) throw reason;
      });
    },
    evaluate(atMs) {
      sample(clock.now());
      alarms.evaluate(atMs);
    },
    metricData: (queries, range) => queryMetrics(store, queries, range),
    metrics: () => store.metrics(),
  };
}
