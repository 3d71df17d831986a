import { describe, expect, it } from "vitest";
import type { PoolStatus } from "../../../cli/pool-status.ts";
import { whyWaiting, type WhyWaiting } from "../../../cli/why-waiting.ts";

const now = Date.parse("2026-11-20T03:00:00Z");

const working: PoolStatus = {
  pool: "default",
  state: "on",
  paused: null,
  resumed: null,
  backoff: [],
  leftAlone: [],
  lastCycle: { reason: "empty", atMs: now - 20_000, polls: 3, leased: 0, inFlight: 0 },
  goodPollAtMs: now - 20_000,
  inFlight: 1,
  concurrency: { value: 4, deployed: 4 },
  today: {
    day: "2026-11-20",
    costUsd: 10.5,
    runs: 0,
    completed: 0,
    failed: 0,
    lost: 0,
    inputTokens: 0,
    outputTokens: 0,
  },
  dailyCapUsd: { value: null, deployed: null },
  deadLetters: 0,
  schedule: { enabled: true, expression: "rate(1 minute)" },
  alarms: [],
  problems: [],
};

const failedCycle = (reason: string) => ({ ...working.lastCycle!, reason, atMs: now - 9_000 });
const ann = { by: "ann", atMs: now - 120_000 };

describe("why a waiting job is not leased", () => {
  it.each<readonly [Partial<PoolStatus>, WhyWaiting]>([
    [
      {},
      {
        cause: "none",
        sentence: "Working: 1 of at most 4 runs in flight, and its last dispatch cycle ended 20 s ago.",
      },
    ],
    [
      { state: "schedule_off", paused: ann },
      {
        cause: "schedule_off",
        sentence: "Off: its schedule is disabled, so no dispatch cycle starts.",
        remedy: { text: "Enable it in the console of EventBridge Scheduler." },
      },
    ],
    [
      { paused: { by: "ann", atMs: now - 8_000 } },
      {
        cause: "paused",
        sentence:
          "Paused by ann, 8.0 s ago. Within a minute, a cycle that started before may still lease jobs.",
        remedy: { text: "To lease jobs again:", command: "resume" },
      },
    ],
    [
      { paused: { ...ann, why: "Studio maintenance" } },
      {
        cause: "paused",
        sentence: "Paused by ann, 2 min ago: Studio maintenance.",
        remedy: { text: "To lease jobs again:", command: "resume" },
      },
    ],
    [
      { paused: {} },
      { cause: "paused", sentence: "Paused.", remedy: { text: "To lease jobs again:", command: "resume" } },
    ],
    [
      { dailyCapUsd: { value: 10, deployed: 10 } },
      {
        cause: "capped",
        sentence: "At its daily cap: $10.50 of $10.00 are spent, and no job is leased until 00:00 UTC.",
        remedy: { text: "To raise the cap now:", command: "set-cap 21" },
      },
    ],
    [
      { dailyCapUsd: { value: 10, deployed: 10 }, today: { ...working.today, isInvented: true } },
      {
        cause: "capped",
        sentence:
          "At its daily cap: $10.50 (invented) of $10.00 are spent, and no job is leased until 00:00 UTC.",
        remedy: { text: "To raise the cap now:", command: "set-cap 21" },
      },
    ],
    [
      { lastCycle: failedCycle("key_refused") },
      {
        cause: "failed",
        sentence:
          "Failing: its last dispatch cycle ended 9.0 s ago, because Studio knows none of its runner keys (key_refused).",
        remedy: { text: "To store one that Studio knows:", command: "secrets set runner-keys" },
      },
    ],
    [
      { lastCycle: failedCycle("constructor") },
      {
        cause: "failed",
        sentence: "Failing: its last dispatch cycle ended 9.0 s ago, because of constructor.",
        remedy: { text: "To find out what is wrong:", command: "doctor" },
      },
    ],
    [
      {
        backoff: [
          { by: "studio", untilMs: now + 5_000 },
          { by: "model", untilMs: now + 42_000 },
        ],
      },
      {
        cause: "backoff",
        sentence: "Waiting until 03:00:42 UTC, as the model asked.",
        remedy: { text: "To end the wait now:", command: "clear-backoff" },
      },
    ],
    [
      { lastCycle: null, goodPollAtMs: null },
      {
        cause: "starting",
        sentence: "Starting: no dispatch cycle has ended yet. One starts every minute.",
      },
    ],
    [
      { goodPollAtMs: now - 360_000 },
      {
        cause: "silent",
        sentence: "Silent: it last reached Studio 6 min ago.",
        remedy: { text: "To find out what is wrong:", command: "doctor" },
      },
    ],
    [
      { leftAlone: [{ workspaceId: "ws_1", untilMs: now + 60_000 }] },
      {
        cause: "left_alone",
        sentence:
          "This workspace is left alone until 03:01:00 UTC, because several of its runs in a row lost their leases.",
      },
    ],
    [
      { inFlight: 4 },
      {
        cause: "at_capacity",
        sentence: "At capacity: 4 of at most 4 runs in flight. The next job is leased when one of them ends.",
        remedy: { text: "To run more at once:", command: "set-concurrency 8" },
      },
    ],
    [
      { inFlight: 0, concurrency: { value: 0, deployed: 4 } },
      {
        cause: "at_capacity",
        sentence: "Its concurrency is 0, so no job is leased.",
        remedy: { text: "To change it:", command: "set-concurrency 1" },
      },
    ],
  ])("is explained for %j", (facts, explained) => {
    expect(whyWaiting({ ...working, ...facts }, now, "ws_1")).toEqual(explained);
  });

  it("is not that another workspace is left alone", () => {
    const leftAlone = [{ workspaceId: "ws_1", untilMs: now + 60_000 }];
    expect(whyWaiting({ ...working, leftAlone }, now, "ws_2").cause).toBe("none");
  });

  it("has no control characters of what an operator wrote", () => {
    expect(whyWaiting({ ...working, paused: { why: "\u001B[31mred" } }, now).sentence).not.toContain(
      "\u001B",
    );
  });
});
