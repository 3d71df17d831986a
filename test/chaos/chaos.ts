import { setTimeout as pause } from "node:timers/promises";
import type { OutcomeState } from "../../lib/runs/run.ts";
import { disturb } from "./disturb.ts";
import { gather } from "./evidence.ts";
import { total, type JobKind } from "./jobs.ts";
import type { ChaosOptions } from "./options.ts";
import { furtherCases, planCases } from "./plan.ts";
import { queueCases } from "./queue.ts";
import { seeded } from "./random.ts";
import { faultsOf, unstruck, type Report } from "./report.ts";
import { openStage, type Stage } from "./stage.ts";
import { countBy, judge } from "./outcome.ts";

const lookMs = 200;
/** After the faults stop: time for every lease, lock and silence to run out twice. */
const drainMs = 90_000;
/** Unfinished jobs for each run that may be in flight. */
const queuedPerRun = 2;
/** Time from a run's end to the log line that counts it, on a busy machine. */
const countedWithinMs = 5_000;

export type Tell = (line: string) => void;

/**
 * Runs the jobs under faults until they have ended, then waits without faults until everything has settled,
 * and returns the outcome. Studio's store and journal, and the model's records, are the truth that the run
 * store is compared with.
 * @throws Error if not even the jobs without faults end
 */
export async function runChaos(
  templateFile: string,
  options: ChaosOptions,
  tell: Tell = () => undefined,
): Promise<Report> {
  const stage = await openStage(templateFile, options);
  try {
    const roundsOfKind = await tryKinds(stage, options.kinds);
    await closeRuns(stage);
    const { watch, studio } = stage;
    const startedMs = Date.now();
    const before = {
      atMs: startedMs,
      journal: studio.requests().length,
      runs: (await stage.rows()).runs.length,
      counted: countedBy(stage),
    };
    const played = await runUnderFaults(stage, options, tell);
    const { queue, disturbance } = played;
    await disturbance.stop();
    tell("the faults rest");
    await queue.until(1, drainMs);
    await closeRuns(stage);
    const counted = countedSince(stage, before.counted);
    const { leaseMs } = options;
    const outcome = judge({
      ...(await gather(stage, { before, ...played })),
      roundsOfKind,
      leaseMs,
      counted,
    });
    const invocations = countBy(watch.invocations().map(({ role }) => role));
    return {
      ...outcome,
      ...faultsOf(stage, disturbance),
      measures: {
        ...outcome.measures,
        "Invocations of processors": invocations.get("processor") ?? 0,
        "Invocations of dispatchers": invocations.get("dispatcher") ?? 0,
        "Studio's clock against ours": `${stage.clock.skewMs() / 1_000} s`,
        Time: `${Math.round((Date.now() - startedMs) / 1_000)} s`,
      },
    };
  } finally {
    await stage.close();
  }
}

type Counted = Readonly<Record<OutcomeState, number>>;

const countedBy = ({ watch }: Stage): Counted => ({
  completed: watch.metric("RunsCompleted"),
  failed: watch.metric("RunsFailed"),
  lost: watch.metric("RunsLost"),
});

const totalOf = ({ completed, failed, lost }: Counted): number => completed + failed + lost;

function countedSince(stage: Stage, before: Counted): Counted {
  const { completed, failed, lost } = countedBy(stage);
  return {
    completed: completed - before.completed,
    failed: failed - before.failed,
    lost: lost - before.lost,
  };
}

/** Runs one job of each kind without faults, to find out how many rounds it needs. */
async function tryKinds(stage: Stage, kinds: readonly JobKind[]): Promise<ReadonlyMap<string, number>> {
  const trials = kinds.map((kind, at) => ({ kind, tag: `trial-${at + 1}` }));
  const isOver = await queueCases(stage, trials).until(1, 240_000);
  if (!isOver) throw new Error("the jobs do not even end without faults");
  return new Map(trials.map(({ kind, tag }) => [kind.name, total(stage.asked.of(tag))]));
}

/**
 * Runs the jobs, and then a few more at a time while some fault has not been applied: with few jobs, chance
 * leaves some out.
 */
async function runUnderFaults(stage: Stage, options: ChaosOptions, tell: Tell) {
  const random = seeded(options.seed, "jobs");
  const cases = [...planCases(options, random)];
  const queue = queueCases(stage, cases, options.concurrency * queuedPerRun);
  const disturbance = disturb({ stage, options, queue });
  let nextShare = 0;
  await queue.until(1, options.limitMs, (share) => {
    disturbance.progressed(share);
    if (share < nextShare) return;
    tell(`${Math.round(share * cases.length)} of ${cases.length} jobs have ended`);
    nextShare = share + 0.05;
  });
  disturbance.progressed(1);
  const untilMs = Date.now() + options.limitMs;
  for (;;) {
    const owed = unstruck(faultsOf(stage, disturbance).faults, options);
    if (owed.length === 0 || Date.now() > untilMs) return { cases, queue, disturbance };
    const further = furtherCases({ ...options, from: cases.length + 1 }, random);
    tell(`${further.length} more jobs, since this has not struck: ${owed.join("; ")}`);
    cases.push(...further);
    queue.add(further);
    await queue.until(1, untilMs - Date.now());
  }
}

/**
 * Waits until the runs are finished and counted. A job can end before its run is finished (by its attempt, or
 * by the reaper after a kill in between), and a run is finished before it is counted. An attempt that was
 * killed between the two logs nothing more.
 */
async function closeRuns(stage: Stage): Promise<void> {
  const runs = async () => (await stage.rows()).runs;
  await waitFor(drainMs, async () => (await runs()).every(({ openIn }) => openIn === undefined));
  await waitFor(countedWithinMs, async () => totalOf(countedBy(stage)) >= (await runs()).length);
}

async function waitFor(limitMs: number, isSo: () => Promise<boolean>): Promise<void> {
  for (const untilMs = Date.now() + limitMs; Date.now() < untilMs; await pause(lookMs))
    if (await isSo()) return;
}
