import { utcDay, type Spend } from "../lib/runs/spend.ts";
import type { PoolBackoff } from "../lib/dispatch/poller.ts";
import type { Backoff } from "../lib/runs/backoff.ts";
import type { Control } from "../lib/runs/control.ts";
import type { LastCycle, LockState } from "../lib/runs/dispatch-lock.ts";
import { cannedModelName } from "./canned-model.ts";
import { attempt, problemOf, valueOf, type Part } from "./attempt.ts";
import type { StackContext } from "./context.ts";
import { formatAge, formatDuration, formatTime } from "./format.ts";
import type { AlarmState, ScheduleState } from "./ports.ts";
import type { StackPool } from "./stack.ts";
import { hasFailedLast, reasonInWords, remedyOf, remedyText } from "./cycle-words.ts";

export type PoolState = "on" | "paused" | "capped" | "schedule_off";

export interface Chosen<T> {
  readonly value: T;
  /** The deployed value, which an operator may have overridden. */
  readonly deployed: T;
  readonly by?: string | undefined;
  readonly atMs?: number | undefined;
}

/** Who paused or resumed a pool, why and when. */
export interface Switched {
  readonly by?: string;
  readonly why?: string;
  readonly atMs?: number;
}

export interface PoolStatus {
  readonly pool: string;
  readonly state: PoolState;
  readonly paused: Switched | null;
  /** The last resume; null while the pool is paused. */
  readonly resumed: Switched | null;
  /** Waits that have not ended yet, which Studio or the model asked for. */
  readonly backoff: readonly PoolBackoff[];
  /** Workspaces that are not leased for a while, because several of their runs lost their leases. */
  readonly leftAlone: readonly LeftAlone[];
  readonly lastCycle: LastCycle | null;
  readonly goodPollAtMs: number | null;
  readonly inFlight: number;
  readonly concurrency: Chosen<number>;
  readonly today: Spend & {
    readonly day: string;
    /** `costUsd` comes from the offline model's prices. */
    readonly isInvented?: true;
  };
  readonly dailyCapUsd: Chosen<number | null>;
  /** Null: could not be read; `problems` says why. */
  readonly deadLetters: number | null;
  readonly schedule: ScheduleState | null;
  /** By alarm id; null as above. */
  readonly alarms: readonly (AlarmState & { readonly id: string })[] | null;
  /** What needs attention, one sentence each. */
  readonly problems: readonly string[];
}

export interface LeftAlone {
  readonly workspaceId: string;
  readonly untilMs: number;
}

/** The period of the dead-man alarm. */
export const goodPollWithinMs = 300_000;

/** The number of runs whose lease is still live, as the dispatcher counts them. */
export async function countInFlight(context: StackContext, pool: string): Promise<number> {
  const { runs } = await context.runStore();
  const nowMs = context.clock.now();
  return (await runs.openRuns(pool)).filter(({ leaseExpiresAtMs }) => leaseExpiresAtMs > nowMs).length;
}

/**
 * Reads the state of one pool. If AWS does not answer, `problems` says so and the rest is still returned.
 * @throws RunnerError `run_store_unavailable`
 */
export async function readPoolStatus(context: StackContext, pool: StackPool): Promise<PoolStatus> {
  const { control, backoff, lock, spend, workspaces, unreadable } = await context.runStore();
  const { name } = pool;
  const nowMs = context.clock.now();
  const day = utcDay(nowMs);
  const [{ settings }, set, heldBack, state, spent, inFlight, left, asked] = await Promise.all([
    context.stack(),
    control.read(name),
    backoff.read(name),
    lock.read(name),
    spend.read(name, day),
    countInFlight(context, name),
    workspaces.leftAlone(name, nowMs),
    askAws(context, pool),
  ]);
  const { schedule, deadLetters, alarms } = asked;
  const isInvented = settings.inference.model === cannedModelName;
  const today = { day, ...spent, ...(isInvented ? ({ isInvented } as const) : {}) };
  const dailyCapUsd = capOf(pool, set);
  const capUsd = dailyCapUsd.value;
  const spentPercent = capUsd === null || capUsd === 0 ? undefined : (100 * today.costUsd) / capUsd;
  const commandLine = (words: string): string => context.commandLine(words, pool);
  const facts = { ...asked, lock: state, nowMs, spentPercent, commandLine };
  return {
    pool: name,
    state: stateOf({ set, spentUsd: today.costUsd, capUsd: dailyCapUsd.value, schedule: valueOf(schedule) }),
    paused: set.paused ? switchedOf(set) : null,
    resumed: !set.paused && set.by !== undefined ? switchedOf(set) : null,
    backoff: backoffsOf(heldBack, nowMs),
    leftAlone: left.map(({ workspaceId, leftAloneUntilMs = 0 }) => ({
      workspaceId,
      untilMs: leftAloneUntilMs,
    })),
    lastCycle: state.lastCycle ?? null,
    goodPollAtMs: state.goodPollAtMs ?? null,
    inFlight,
    concurrency: concurrencyOf(pool, set),
    today,
    dailyCapUsd,
    deadLetters: valueOf(deadLetters) ?? null,
    schedule: valueOf(schedule) ?? null,
    alarms: valueOf(alarms) ?? null,
    problems: [
      ...problemRows.flatMap((row) => row(facts)),
      ...[...unreadable].map((why) => `Left out: ${why}`),
    ],
  };
}

export function backoffsOf({ studioUntilMs, modelUntilMs }: Backoff, nowMs: number): readonly PoolBackoff[] {
  const both: readonly PoolBackoff[] = [
    { by: "studio", untilMs: studioUntilMs },
    { by: "model", untilMs: modelUntilMs },
  ];
  return both.filter(({ untilMs }) => untilMs > nowMs);
}

/** "until 03:04:05 UTC, as Studio asked" */
export const backoffText = ({ by, untilMs }: PoolBackoff): string =>
  `until ${formatTime(untilMs).slice(11)} UTC, as ${by === "studio" ? "Studio" : "the model"} asked`;

export function concurrencyOf({ settings }: StackPool, set: Control): Chosen<number> {
  const { concurrency: deployed } = settings;
  const { concurrency, concurrencyBy: by, concurrencyAtMs: atMs } = set;
  return concurrency === undefined
    ? { value: deployed, deployed }
    : { value: concurrency, deployed, by, atMs };
}

export function capOf({ settings }: StackPool, set: Control): Chosen<number | null> {
  const deployed = settings.dailyCapUsd ?? null;
  const { dailyCapUsd, dailyCapBy: by, dailyCapAtMs: atMs } = set;
  return dailyCapUsd === undefined
    ? { value: deployed, deployed }
    : { value: dailyCapUsd, deployed, by, atMs };
}

function switchedOf({ by, why, atMs }: Control): Switched {
  return {
    by,
    why,
    atMs,
  };
}

interface StateFacts {
  readonly set: Control;
  readonly spentUsd: number;
  readonly capUsd: number | null;
  readonly schedule: ScheduleState | undefined;
}

function stateOf({ set, spentUsd, capUsd, schedule }: StateFacts): PoolState {
  if (schedule?.enabled === false) return "schedule_off";
  if (set.paused) return "paused";
  return capUsd !== null && spentUsd >= capUsd ? "capped" : "on";
}

interface Asked {
  readonly schedule: Part<ScheduleState>;
  readonly deadLetters: Part<number>;
  readonly alarms: Part<NonNullable<PoolStatus["alarms"]>>;
}

async function askAws(context: StackContext, pool: StackPool): Promise<Asked> {
  const aws = await context.aws();
  const [schedule, deadLetters, alarms] = await Promise.all([
    attempt(() => aws.schedules.read(pool.output("Schedule"))),
    attempt(() => aws.queues.depth(pool.output("DeadLetters"))),
    attempt(() => readAlarms(context, pool)),
  ]);
  return { schedule, deadLetters, alarms };
}

async function readAlarms(
  context: StackContext,
  { alarms }: StackPool,
): Promise<NonNullable<PoolStatus["alarms"]>> {
  const entries = Object.entries(alarms);
  if (entries.length === 0) return [];
  const { alarms: port } = await context.aws();
  const states = await port.states(entries.map(([, name]) => name));
  return entries.flatMap(([id, name]) => {
    const found = states.find((state) => state.name === name);
    return found ? [{ id, ...found }] : [];
  });
}

interface Facts extends Asked {
  /** Makes a command about the pool, to copy. */
  readonly commandLine: (words: string) => string;
  readonly lock: LockState;
  readonly nowMs: number;
  /** Percent of the present cap that the day has spent; `undefined`: no cap. */
  readonly spentPercent: number | undefined;
}

/**
 * Explains why the alarm stays on after the cap was raised: it uses the number that the next cycle reports.
 */
function staysOn(id: string, spentPercent: number | undefined): string {
  const threshold = Number(/^Spending(\d+)$/.exec(id)?.[1]);
  if (spentPercent === undefined || !(spentPercent < threshold)) return "";
  const percent = Math.floor(spentPercent);
  return `. The spending is at ${percent} % of the present cap: the alarm stays on until it has evaluated the next cycle, up to 5 minutes.`;
}

const problemRows: readonly ((facts: Facts) => readonly string[])[] = [
  ({ schedule }) =>
    valueOf(schedule)?.enabled === false
      ? ["The schedule is disabled, so no cycle starts. Enable it in the console of EventBridge Scheduler."]
      : [],
  ({ lock: { goodPollAtMs, lastCycle, lockedUntilMs = 0 }, nowMs, schedule }) => {
    if (valueOf(schedule)?.enabled === false) return [];
    const isFirstOpen = lastCycle === undefined && lockedUntilMs > nowMs;
    if (goodPollAtMs === undefined) return isFirstOpen ? [] : ["No cycle has had a good poll yet."];
    const ageMs = nowMs - goodPollAtMs;
    return ageMs > goodPollWithinMs ? [`The last good poll was ${formatAge(ageMs)}.`] : [];
  },
  ({ lock: { lastCycle, goodPollAtMs }, commandLine }) => {
    if (!lastCycle || !hasFailedLast(lastCycle, goodPollAtMs)) return [];
    const { reason } = lastCycle;
    return [`The last cycle ${reasonInWords(reason)}. ${remedyText(remedyOf(reason), commandLine)}`];
  },
  ({ alarms, nowMs, spentPercent }) =>
    (valueOf(alarms) ?? [])
      .filter(({ state }) => state === "ALARM")
      .map(({ id, sinceMs, reason }) => {
        const since = sinceMs === undefined ? "" : ` for ${formatDuration(nowMs - sinceMs)}`;
        // The reason of a composite alarm is a list of ARNs, and the alarms behind it are listed themselves.
        const because = reason === undefined || reason.includes("arn:") ? "" : `: ${reason}`;
        return `Alarm ${id}${since}${because} (docs/runbook.md#${id.toLowerCase()})${staysOn(id, spentPercent)}`;
      }),
  ({ deadLetters, commandLine }) => {
    const waiting = valueOf(deadLetters) ?? 0;
    const wait = waiting === 1 ? "1 dead letter waits" : `${waiting} dead letters wait`;
    return waiting > 0 ? [`${wait}: ${commandLine("redrive")}`] : [];
  },
  ({ schedule, deadLetters, alarms }) =>
    Object.entries({ schedule, "dead letters": deadLetters, alarms }).flatMap(([what, part]) => {
      const problem = problemOf(part);
      return problem ? [`Unknown: ${what} (${problem.message})`] : [];
    }),
];
