import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { alarmRows, type AlarmId } from "../../infra/monitoring/alarms.ts";
import { createControlRow } from "../../lib/runs/control.ts";
import { createSpendRow, utcDay } from "../../lib/runs/spend.ts";
import type { StackSettings } from "../../local/local-settings.ts";
import { startProxy, type FaultyProxy } from "../chaos/proxy.ts";
import { playTimeline, type Recording, type Timeline } from "../support/alarm-timeline.ts";
import { buildWith } from "../support/build-with.ts";
import { eventually } from "../support/eventually.ts";
import { held } from "../support/hold.ts";
import { killWithRecovery } from "../support/kill-recovery.ts";
import { idOf } from "../support/scenario-template.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

const pool = "local";

let proxy: FaultyProxy;
let scenario: Scenario;
let templateFile: string;
let idle: Recording;
let busy: Recording;

/** With a cap, so that its alarms exist, and with room for only one cycle at a time. */
async function build(settings: StackSettings, outdir: string): Promise<string> {
  templateFile = await buildWith({}, { dailyCapUsd: 100 })(settings, outdir);
  const template = JSON.parse(readFileSync(templateFile, "utf8"));
  template.Resources[idOf("Dispatcher")].Properties.ReservedConcurrentExecutions = 1;
  writeFileSync(templateFile, JSON.stringify(template));
  return templateFile;
}

beforeAll(async () => {
  let calls = 0;
  // At this rate, about every third call to the run store fails.
  const type = "ProvisionedThroughputExceededException";
  proxy = await startProxy(
    [{ name: "throttled", weight: 1, kind: "answer", status: 400, type }],
    () => (calls++ % 3) / 3,
  );
  const variables = { AWS_ENDPOINT_URL_DYNAMODB: proxy.url };
  scenario = await startScenario({ concurrency: 6, leaseMs: 16_000, build, variables });
  proxy.pointTo(scenario.cloud.env["AWS_ENDPOINT_URL_DYNAMODB"]!);
  busy = await record(() => runJobs(["ok", "ok", "ok", "ok", "ok", "ok"]));
  idle = await record(async () => void (await scenario.cycle()));
});
afterAll(async () => {
  await scenario.close();
  await proxy.close();
});

/** Records what happens during `work`, until nothing runs any more. */
async function record(work: () => Promise<void>): Promise<Recording> {
  const { cloud, events } = scenario;
  const from = events.length;
  await work();
  await cloud.idle();
  const deadLetters = cloud.queue(idOf("RecoveryDeadLetters")).receive();
  return { events: events.slice(from), deadLetters };
}

/** Resets the pool, without emitting metrics. */
async function resetPool(): Promise<void> {
  scenario.studio.faults.clear();
  scenario.model.faults.clear();
  scenario.cloud.faults.delayEvent(0);
  scenario.hold(() => false);
  proxy.setRate(0);
  await createControlRow(scenario.table).write(pool, { dailyCapUsd: null });
  await scenario.drain();
}

const texts = { ok: "Plan a launch. [[rounds:1]]", refused: "Plan a launch. [[refuse]]" } as const;

async function runJobs(jobs: readonly (keyof typeof texts)[]): Promise<void> {
  for (const job of jobs) scenario.queue(texts[job]);
  await scenario.drain();
}

/** Starts jobs whose rounds have begun under their leases and do not end yet. */
async function startJobs(count: number): Promise<readonly string[]> {
  scenario.hold(() => true);
  const ids = Array.from({ length: count }, () => scenario.queue(`${texts.ok} ${held}`));
  await scenario.cycle();
  for (const id of ids) await scenario.run(id, ({ responseIds }) => responseIds.length > 0);
  return ids;
}

async function stealLeases(count: number): Promise<void> {
  const ids = await startJobs(count);
  for (const id of ids) scenario.studio.steal(id, "nobody");
  for (const id of ids) await scenario.run(id, ({ state }) => state === "lost");
}

/** For each number, kills the worker of a new job that often. */
async function killWorkers(times: readonly number[]): Promise<void> {
  const ids = await startJobs(times.length);
  for (const [index, id] of ids.entries()) {
    for (let kill = 1; kill <= times[index]!; kill++) {
      await scenario.run(id, ({ starts, state }) => starts === kill && state === "running");
      await scenario.kill(id);
    }
  }
  scenario.hold(() => false);
  for (const id of ids) await scenario.ended(id);
}

async function dieUnrecovered(): Promise<void> {
  const [id] = await startJobs(1);
  await killWithRecovery(scenario, id!);
}

/** Runs a job whose attempt starts late, after `change` has modified its run. */
async function beginLate(delayMs: number, change: (runId: string) => Promise<void>): Promise<void> {
  scenario.cloud.faults.delayEvent(delayMs);
  const id = scenario.queue(texts.ok);
  await scenario.cycle();
  const { runId } = await scenario.run(id, ({ state }) => state === "leased");
  await change(runId);
  await scenario.ended(id);
}

/** Makes the run look as if it had been leased this long ago. */
const leasedBefore = (minutes: number) => (): Promise<void> =>
  beginLate(2_500, async (runId) => {
    const leasedAtMs = Date.now() - minutes * 60_000;
    await scenario.table.update({ pool, id: `run#${runId}` }, { set: { leasedAtMs } });
  });

/** Sets the cap so that the day's spending is this percentage of it. */
const spend = (percent: number) => async (): Promise<void> => {
  const spent = await eventually("a cost", async () => {
    const { costUsd } = await createSpendRow(scenario.table).read(pool, utcDay(Date.now()));
    return costUsd > 0 ? costUsd : undefined;
  });
  await createControlRow(scenario.table).write(pool, { dailyCapUsd: (100 * spent) / percent });
  await scenario.cycle();
};

async function refuseRunnerKey(): Promise<void> {
  const { runnerKey } = scenario.secrets();
  const revoked = scenario.studio.createKey("user");
  scenario.studio.revokeKey(revoked.instanceId);
  scenario.putSecret("Keys", revoked.runnerToken);
  expect((await scenario.cycle()).error?.errorMessage).toContain("key");
  scenario.putSecret("Keys", runnerKey);
}

async function refuseModelKey(): Promise<void> {
  scenario.model.faults.add({ fault: { kind: "status", status: 401 } });
  await runJobs(["ok"]);
}

async function losesStudio(): Promise<void> {
  scenario.studio.faults.add({ route: "/leaseWorkspaceJob", fault: { kind: "status", status: 503 } });
  expect((await scenario.cycle()).error).toBeDefined();
}

/** Starts two cycles at once, where there is room for one. */
async function overrun(): Promise<void> {
  const both = await Promise.allSettled([scenario.cycle(), scenario.cycle()]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
}

async function throttleRunStore(): Promise<void> {
  proxy.setRate(0.3);
  await scenario.cycle();
  expect(proxy.fired().get("throttled")).toBeGreaterThan(0);
}

const from = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => first + index);

interface Row {
  /** The alarm that the fault is for. Absent: the fault is too small for any alarm. */
  readonly alarm?: AlarmId;
  readonly fault: string;
  readonly make: () => Promise<void>;
  /** The minutes at which it happens. Default: once. */
  readonly minutes?: readonly number[];
  /** The alarms that fire, in the table's order: the one above, and others that the fault affects. */
  readonly fires: readonly AlarmId[];
}

const rows: readonly Row[] = [
  {
    alarm: "NoGoodPoll",
    fault: "no dispatch cycle starts",
    make: async () => undefined,
    minutes: from(0, 10),
    fires: ["NoGoodPoll", "Page"],
  },
  {
    fault: "no dispatch cycle starts for three minutes",
    make: async () => undefined,
    minutes: from(0, 3),
    fires: [],
  },
  {
    alarm: "DispatcherErrors",
    fault: "Studio is down for four cycles",
    make: losesStudio,
    minutes: from(0, 4),
    fires: ["DispatcherErrors"],
  },
  {
    alarm: "NoGoodPoll",
    fault: "Studio is down for ten cycles",
    make: losesStudio,
    minutes: from(0, 10),
    fires: ["NoGoodPoll", "DispatcherErrors", "Page"],
  },
  { fault: "Studio is down for two cycles", make: losesStudio, minutes: [0, 1], fires: [] },
  {
    alarm: "KeysRefused",
    fault: "Studio refuses the runner key",
    make: refuseRunnerKey,
    fires: ["KeysRefused", "Page"],
  },
  {
    alarm: "KeysRefused",
    fault: "the model's provider refuses the key",
    make: refuseModelKey,
    fires: ["KeysRefused", "Page"],
  },
  {
    alarm: "FailureRate",
    fault: "two of six jobs fail",
    make: () => runJobs(["ok", "refused", "ok", "ok", "refused", "ok"]),
    fires: ["FailureRate", "Page"],
  },
  {
    fault: "one of six jobs fails",
    make: () => runJobs(["ok", "refused", "ok", "ok", "ok", "ok"]),
    fires: [],
  },
  { alarm: "LostLeases", fault: "two leases are taken", make: () => stealLeases(2), fires: ["LostLeases"] },
  { fault: "one lease is taken", make: () => stealLeases(1), fires: [] },
  {
    alarm: "Restarts",
    fault: "workers are killed three times",
    make: () => killWorkers([2, 1]),
    fires: ["Restarts"],
  },
  { fault: "a worker is killed twice", make: () => killWorkers([2]), fires: [] },
  {
    alarm: "LeaseNearlyGone",
    fault: "an event takes more than half of its lease",
    make: () => beginLate(9_000, async () => undefined),
    fires: ["LeaseNearlyGone"],
  },
  {
    alarm: "RunTimeNearLimit",
    fault: "a run takes 50 of 60 minutes",
    make: leasedBefore(50),
    fires: ["RunTimeNearLimit"],
  },
  { fault: "a run takes 45 of 60 minutes", make: leasedBefore(45), fires: [] },
  {
    alarm: "Throttles",
    fault: "Lambda throttles cycles for a while",
    make: overrun,
    minutes: [0, 5],
    fires: ["Throttles"],
  },
  {
    alarm: "Throttles",
    fault: "DynamoDB throttles the run store for a while",
    make: throttleRunStore,
    minutes: [0, 5],
    fires: ["Throttles"],
  },
  { fault: "Lambda throttles one cycle", make: overrun, fires: [] },
  {
    alarm: "DeadLetters",
    fault: "recovery is killed three times",
    make: dieUnrecovered,
    fires: ["DeadLetters", "Page"],
  },
  { alarm: "Spending80", fault: "85 % of the cap is spent", make: spend(85), fires: ["Spending80"] },
  {
    alarm: "Spending100",
    fault: "110 % of the cap is spent",
    make: spend(110),
    fires: ["Spending80", "Spending100", "Page"],
  },
  { fault: "75 % of the cap is spent", make: spend(75), fires: [] },
];

/** Before the fault: longer than a period, so that no period also contains the earlier jobs. */
const minutesBefore = 20;
/** After it: CloudWatch looks for a value in three periods, of which the longest has 15 minutes. */
const minutesAfter = 50;

/** The fault in a timeline with a cycle every minute and jobs long before. */
function live(fault: Recording, at: readonly number[]): Timeline {
  const minutes = minutesBefore + Math.max(...at) + minutesAfter;
  const faulty = at.map((minute) => minutesBefore + minute);
  const others = from(0, minutes).filter((minute) => !faulty.includes(minute));
  return playTimeline({
    templateFile,
    minutes,
    acts: [
      { recording: busy, minutes: [0] },
      { recording: idle, minutes: others },
      { recording: fault, minutes: faulty },
    ],
  });
}

const inOrder = (ids: Iterable<string>): readonly string[] => {
  const order: readonly string[] = [...alarmRows.map(({ id }) => id), "Page"];
  return [...new Set(ids)].toSorted((left, right) => order.indexOf(left) - order.indexOf(right));
};

afterEach(resetPool);

describe("each alarm fires for its fault, from what the functions emitted, and then returns to OK", () => {
  test.each(rows)("$fault: $fires", async ({ make, minutes = [0], fires }) => {
    const fault = await record(make);
    const { minutes: seen, notifications, ids } = live(fault, minutes);

    expect(inOrder(ids)).toEqual(inOrder([...alarmRows.map(({ id }) => id), "Page"]));
    const before = seen.slice(0, minutesBefore);
    expect(before.flatMap(({ firing }) => firing)).toEqual([]);
    expect(before.at(-1)?.undecided).toEqual([]);
    expect(inOrder(seen.flatMap(({ firing }) => firing))).toEqual(fires);
    expect(seen.at(-1)).toMatchObject({ firing: [], undecided: [] });

    // Paging alarms send through Page.
    const pages = new Set<string>(alarmRows.flatMap(({ id, pages: does }) => (does ? [id] : [])));
    const voices = fires.filter((id) => !pages.has(id));
    const alarmed = notifications
      .filter((one) => one.endsWith(" ALARM"))
      .map((one) => one.replace(" ALARM", ""));
    expect(inOrder(alarmed)).toEqual(voices);
    expect(alarmed.length).toBe(voices.length);
  });

  test("NoGoodPoll fires after seven minutes without any data", () => {
    const nothing = { events: [], deadLetters: [] };
    const { minutes } = live(nothing, from(0, 20));
    const first = minutes.find(({ firing }) => firing.includes("NoGoodPoll"))!;
    expect(first.minute + 1 - minutesBefore).toBe(7);
  });

  test("every alarm has a fault that makes it fire", () => {
    const proven = rows.flatMap(({ alarm, fires }) => (alarm && fires.includes(alarm) ? [alarm] : []));
    expect(inOrder(proven)).toEqual(alarmRows.map(({ id }) => id));
    expect(rows.some(({ fires }) => fires.includes("Page"))).toBe(true);
  });
});
