import { isEnd, type CloudEvent } from "../events.ts";
import type { Stack } from "../resources.ts";
import type { MetricStore } from "./metric-store.ts";

interface QueueDepth {
  readonly name: string;
  readonly visible: number;
  readonly hidden: number;
}

export interface PlatformMetrics {
  observe(event: CloudEvent): void;
  /** Records SQS's gauges. */
  sample(queues: readonly QueueDepth[], atMs: number): void;
}

/** Emits the metrics of Lambda, SQS and EventBridge Scheduler, derived from events in the local cloud. */
export function createPlatformMetrics(
  store: MetricStore,
  { functions, schedules }: Pick<Stack, "functions" | "schedules">,
): PlatformMetrics {
  const names = new Map(functions.map(({ label, name }) => [label, name]));
  const put = (label: string, atMs: number, values: Readonly<Record<string, number>>): void => {
    const name = names.get(label);
    if (name === undefined) return;
    const dimensions = { FunctionName: name };
    for (const [metric, value] of Object.entries(values)) {
      store.add({ namespace: "AWS/Lambda", name: metric, dimensions }, { atMs, value });
    }
  };
  const running = createRunning();
  const countRunning = (label: string, atMs: number): void => {
    put(label, atMs, { ConcurrentExecutions: running.of(label).size });
    const metric = { namespace: "AWS/Lambda", name: "ConcurrentExecutions", dimensions: {} };
    store.add(metric, { atMs, value: running.total() });
  };
  return {
    observe(event) {
      const { atMs } = event;
      if (event.kind === "invoke") {
        running.of(event.function).add(event.requestId);
        countRunning(event.function, atMs);
      }
      const values = lambdaValues(event);
      if (values !== undefined && "function" in event) put(event.function, atMs, values);
      if (isEnd(event)) {
        running.of(event.function).delete(event.requestId);
        countRunning(event.function, atMs);
      }
      if (event.kind === "schedule" && schedules.some(({ logicalId }) => logicalId === event.schedule)) {
        const metric = { namespace: "AWS/Scheduler", name: "InvocationAttemptCount" };
        store.add({ ...metric, dimensions: { ScheduleGroup: "default" } }, { atMs, value: 1 });
      }
    },
    sample(queues, atMs) {
      for (const { name, visible, hidden } of queues) {
        const dimensions = { QueueName: name };
        const add = (metric: string, value: number): void =>
          store.add({ namespace: "AWS/SQS", name: metric, dimensions }, { atMs, value });
        add("ApproximateNumberOfMessagesVisible", visible);
        add("ApproximateNumberOfMessagesNotVisible", hidden);
      }
    },
  };
}

/** Tracks the request ids of running invocations, by function. */
function createRunning() {
  const byLabel = new Map<string, Set<string>>();
  return {
    of(label: string): Set<string> {
      const known = byLabel.get(label) ?? new Set<string>();
      byLabel.set(label, known);
      return known;
    },
    total: (): number => [...byLabel.values()].reduce((sum, { size }) => sum + size, 0),
  };
}

/** Lambda reports an invocation when it ends, with errors and throttles as 0 or 1. */
function lambdaValues(event: CloudEvent): Readonly<Record<string, number>> | undefined {
  if (isEnd(event)) {
    const errors = event.kind === "end" ? 0 : 1;
    return { Invocations: 1, Duration: event.durationMs, Errors: errors, Throttles: 0 };
  }
  if (event.kind === "throttled") return { Throttles: 1 };
  if (event.kind === "queued") return { AsyncEventsReceived: 1 };
  if (event.kind === "event-aged-out") return { AsyncEventsDropped: 1 };
  if (event.kind === "destination-failed") return { DestinationDeliveryFailures: 1 };
  return undefined;
}
