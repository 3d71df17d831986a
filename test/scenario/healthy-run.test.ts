import { afterAll, beforeAll, expect, test } from "vitest";
import { alarmRows } from "../../infra/monitoring/alarms.ts";
import { playTimeline, type Recording } from "../support/alarm-timeline.ts";
import { buildWith } from "../support/build-with.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

const jobs = 100;

let templateFile: string;
let scenario: Scenario;

beforeAll(async () => {
  scenario = await startScenario({
    concurrency: 8,
    leaseMs: 600_000,
    turnMs: 1,
    build: async (settings, outdir) => {
      // With a cap, so that the alarms on spending exist.
      templateFile = await buildWith({}, { dailyCapUsd: 100 })(settings, outdir);
      return templateFile;
    },
  });
});
afterAll(() => scenario.close());

test("100 jobs complete, and no alarm fires then or later", async () => {
  const { cloud, events, studio } = scenario;
  for (let index = 0; index < jobs; index++) scenario.queue(`Plan launch ${index}. [[rounds:1]]`);
  await scenario.drain();

  expect(studio.snapshot().map(({ state, leases }) => `${state} ${leases}`)).toEqual(
    Array<string>(jobs).fill("completed 1"),
  );
  expect(scenario.metric("RunsCompleted")).toBe(jobs);

  // As the stack evaluates them now.
  cloud.evaluateAlarms(Date.now() + 60_000);
  const states = cloud.alarms().map(({ definition, state }) => [definition.kind, state]);
  expect(states).toEqual([...alarmRows.map(() => ["metric", "OK"]), ["composite", "OK"]]);
  expect(cloud.notifications().filter(({ subject }) => !subject.startsWith("OK: "))).toEqual([]);

  // And after every minute of an hour around it, with a cycle every minute.
  const recording: Recording = { events: [...events], deadLetters: [] };
  const idleFrom = events.length;
  await scenario.cycle();
  const idle: Recording = { events: events.slice(idleFrom), deadLetters: [] };
  const busyMinute = 10;
  const { minutes, ids, notifications } = playTimeline({
    templateFile,
    minutes: 60,
    acts: [
      {
        recording: idle,
        minutes: Array.from({ length: 60 }, (_, minute) => minute).filter((minute) => minute !== busyMinute),
      },
      { recording, minutes: [busyMinute] },
    ],
  });
  expect(ids).toHaveLength(alarmRows.length + 1);
  expect(minutes.filter(({ firing, undecided }) => firing.length + undecided.length > 0)).toEqual([]);
  expect(notifications.filter((one) => !one.endsWith(" OK"))).toEqual([]);
});
