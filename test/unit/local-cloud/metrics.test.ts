import { expect, it } from "vitest";
import { readEmf } from "../../../local/cloud/monitoring/emf.ts";
import { createMetricStore } from "../../../local/cloud/monitoring/metric-store.ts";
import { createPlatformMetrics } from "../../../local/cloud/monitoring/platform-metrics.ts";
import { aggregate, statisticOf } from "../../../local/cloud/monitoring/statistics.ts";
import type { CloudEventBody } from "../../../local/cloud/events.ts";
import type { FunctionResource } from "../../../local/cloud/resources.ts";

function emf(fields: object, more: object = {}): string {
  const Metrics = [{ Name: "Jobs", Unit: "Count" }];
  const directive = { Namespace: "N", Dimensions: [["pool"]], Metrics, ...more };
  return JSON.stringify({ _aws: { Timestamp: 1_000, CloudWatchMetrics: [directive] }, ...fields });
}

it("readEmf returns each value of a metric for each dimension set", () => {
  const fields = { pool: "user", reason: "empty", Jobs: [3, 4] };
  const line = emf(fields, { Dimensions: [["pool", "reason"], ["pool"]] });

  const jobs = { namespace: "N", name: "Jobs" };
  const both = { ...jobs, dimensions: { pool: "user", reason: "empty" } };
  const ofPool = { ...jobs, dimensions: { pool: "user" } };
  expect(readEmf(line)).toEqual([
    { metric: both, atMs: 1_000, value: 3 },
    { metric: both, atMs: 1_000, value: 4 },
    { metric: ofPool, atMs: 1_000, value: 3 },
    { metric: ofPool, atMs: 1_000, value: 4 },
  ]);
});

it.each([
  ["a plain log line", '{"message":"_aws is a word"}'],
  ["invalid JSON", '{"_aws"'],
  ["a line without the dimension's value", emf({ Jobs: 3 })],
  ["a line without the metric's value", emf({ pool: "user" })],
  ["a line with a value that is not a number", emf({ pool: "user", Jobs: "3" })],
])("readEmf returns no metric for %s", (_, line) => {
  expect(readEmf(line)).toEqual([]);
});

it.each([
  ["Sum", 15],
  ["SampleCount", 5],
  ["Average", 3],
  ["Minimum", 1],
  ["Maximum", 5],
  ["p50", 3],
  ["p95", 5],
  ["p99.9", 5],
  ["p0", 1],
])("%s of 1 to 5 is %d", (name, expected) => {
  expect(statisticOf(name)([5, 3, 1, 4, 2])).toBe(expected);
});

it("aggregate assigns each sample to its period, and omits empty periods", () => {
  const samples = [
    { atMs: 60_000, value: 1 },
    { atMs: 119_999, value: 2 },
    { atMs: 180_000, value: 4 },
  ];

  const range = { startMs: 60_000, endMs: 240_000, periodMs: 60_000 };
  expect(Object.fromEntries(aggregate(samples, range, statisticOf("Sum")))).toEqual({ 60000: 3, 180000: 4 });
});

const metric = (name: string) => ({ namespace: "N", name, dimensions: { a: "1", b: "2" } });
const all = { startMs: 0, endMs: 1_000_000 };

it("the metric store sorts samples by time, and ignores the order of dimensions", () => {
  const store = createMetricStore();
  for (const atMs of [3, 1, 2]) store.add(metric("Jobs"), { atMs, value: atMs });

  const turned = { namespace: "N", name: "Jobs", dimensions: { b: "2", a: "1" } };
  expect(store.samples(turned, all).map(({ atMs }) => atMs)).toEqual([1, 2, 3]);
  expect(store.metrics()).toEqual([metric("Jobs")]);
});

it("a full metric store drops the oldest samples, and the metric without samples for the longest time", () => {
  const store = createMetricStore({ metrics: 2, samples: 10 });
  for (let atMs = 1; atMs <= 12; atMs++) store.add(metric("Busy"), { atMs, value: 0 });
  store.add(metric("Second"), { atMs: 13, value: 0 });
  store.add(metric("Busy"), { atMs: 14, value: 0 });
  store.add(metric("Third"), { atMs: 15, value: 0 });

  expect(store.metrics().map(({ name }) => name)).toEqual(["Busy", "Third"]);
  const kept = store.samples(metric("Busy"), all).map(({ atMs }) => atMs);
  expect(kept).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14]);
});

const worker = { label: "worker", name: "Stack-Worker" } as FunctionResource;

function observed(...events: readonly CloudEventBody[]) {
  const store = createMetricStore();
  const platform = createPlatformMetrics(store, { functions: [worker], schedules: [] });
  for (const [atMs, event] of events.entries()) platform.observe({ ...event, atMs });
  return (name: string, dimensions: Record<string, string> = { FunctionName: "Stack-Worker" }) =>
    store.samples({ namespace: "AWS/Lambda", name, dimensions }, all).map(({ value }) => value);
}

const of = (requestId: string) => ({ function: "worker", requestId, pid: 1 });
const ended = { durationMs: 250, maxMemoryMb: 80 };

it("the platform metrics count each invocation at its end, with its duration, error and throttle", () => {
  const values = observed(
    { kind: "invoke", ...of("a"), environment: "Processor-1", attempt: 1 },
    { kind: "invoke", ...of("b"), environment: "Processor-2", attempt: 1 },
    { kind: "end", ...of("a"), ...ended },
    { kind: "timeout", ...of("b"), ...ended, errorType: "Sandbox.Timedout", errorMessage: "" },
    { kind: "throttled", function: "worker", requestId: "c" },
  );

  expect(values("Invocations")).toEqual([1, 1]);
  expect(values("Duration")).toEqual([250, 250]);
  expect(values("Errors")).toEqual([0, 1]);
  expect(values("Throttles")).toEqual([0, 0, 1]);
  expect(values("ConcurrentExecutions")).toEqual([1, 2, 1, 0]);
  expect(values("ConcurrentExecutions", {})).toEqual([1, 2, 1, 0]);
});
