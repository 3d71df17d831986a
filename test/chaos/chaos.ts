import { setTimeout as pause } from "node:timers/promises";
import type { EndState, Run } from "../../lib/ledger/run.ts";
import type { WorkspaceDetail } from "../../local/studio/page-api.ts";
import { disturb, type Disturbance } from "./disturb.ts";
import { planCases, textOf, total, type Case, type JobKind } from "./jobs.ts";
import type { ChaosOptions } from "./options.ts";
import { seeded } from "./random.ts";
import { faultsOf, type Report } from "./report.ts";
import { openStage, startLimitMs, type Stage } from "./stage.ts";
import { judge, type CaseEnd } from "./verdict.ts";

const lookMs = 200;
/** Once the faults rest: time enough for every lease, lock and silence to run out twice. */
const drainMs = 90_000;
/** From a run's close to the function's line that counts it, on a busy machine. */
const countedWithinMs = 5_000;

export type Tell = (line: string) => void;

/**
 * One run: the jobs under faults until they have ended, a calm in which what is left must end, and the verdict. The
 * truth is Studio's store and journal, and the model's side; the ledger is asked for what it left open.
 * @throws Error when not even the jobs without faults end
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
    const { watch } = stage;
    const first = {
      journal: stage.studio.requests().length,
      runs: (await stage.runs()).length,
      counted: countedBy(stage),
    };
    const cases = planCases(options, seeded(options.seed, "jobs"));
    const startedMs = Date.now();
    const { workspaces, disturbance, progress } = await runUnderFaults(stage, { cases, options, tell });
    await disturbance.stop();
    tell("the faults rest");
    await progress.until(1, drainMs);
    await closeRuns(stage);
    const elapsedMs = Date.now() - startedMs;
    const ends = await lookAt(stage, { cases, workspaces, disturbance });
    const { faults, calls } = faultsOf(stage, disturbance);
    const hit = {
      ledger: (faults["DynamoDB"]?.size ?? 0) > 0,
      secrets: (faults["Secrets Manager"]?.size ?? 0) > 0,
    };
    const runs = (await stage.runs()).slice(first.runs);
    const verdict = judge({
      cases: ends,
      roundsOfKind,
      journal: stage.studio.requests().slice(first.journal),
      runs,
      leaseMs: options.leaseMs,
      hit,
      modelFaultsAtMs: stage.model
        .requests()
        .filter(({ status, aborted }) => status === null || status >= 400 || aborted)
        .map(({ at }) => at),
      counted: countedSince(stage, first.counted),
      killedAtClose: runs.filter((run) => isUncounted(stage, run)).length,
    });
    return {
      ...verdict,
      seed: options.seed,
      elapsedMs,
      faults,
      calls,
      endings: watch.broken(),
      invocations: {
        processor: watch.begun("processor"),
        dispatcher: watch.begun("dispatcher"),
        settler: watch.begun("settler"),
      },
      lines: watch.lines(),
      studioSkewMs: stage.studioSkewMs,
    };
  } finally {
    await stage.close();
  }
}

type Counted = Readonly<Record<EndState, number>>;

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

/** Closed by a leg that was killed before it could say so. */
const isUncounted = ({ watch }: Stage, { runId, openIn }: Run): boolean =>
  openIn === undefined && watch.linesOf(runId, "run_ended") === 0 && watch.brokenLegs(runId) > 0;

/** One job of each kind without any fault: the rounds that it needs. */
async function tryKinds(stage: Stage, kinds: readonly JobKind[]): Promise<ReadonlyMap<string, number>> {
  const trials = kinds.map((kind, at) => ({ kind, tag: `trial-${at + 1}` }));
  const progress = follow(stage);
  queue(stage, trials, progress);
  if (!(await progress.until(1, 60_000))) throw new Error("the jobs do not even end without faults");
  return new Map(trials.map(({ kind, tag }) => [kind.name, total(stage.asked.of(tag))]));
}

interface Progress {
  add(workspaceId: string): void;
  /** Share of the jobs that have ended. */
  share(): number;
  /** `false` when that share was not reached in time. */
  until(share: number, limitMs: number, onLook?: (share: number) => void): Promise<boolean>;
}

function follow({ studio }: Stage): Progress {
  const own = new Set<string>();
  const ended = new Set<string>();
  studio.onChange(({ workspaceId, state }) => {
    if (!own.has(workspaceId)) return;
    if (state === "completed" || state === "failed") ended.add(workspaceId);
  });
  const share = (): number => (own.size === 0 ? 0 : ended.size / own.size);
  return {
    add: (workspaceId) => void own.add(workspaceId),
    share,
    async until(wanted, limitMs, onLook) {
      for (const untilMs = Date.now() + limitMs; share() < wanted; await pause(lookMs)) {
        if (Date.now() > untilMs) return false;
        onLook?.(share());
      }
      return true;
    },
  };
}

/** Gives the workspaces' ids by the jobs' tags. */
function queue({ studio }: Stage, cases: readonly Case[], progress: Progress): ReadonlyMap<string, string> {
  return new Map(
    cases.map((one) => {
      const workspaceId = studio.queueJob({ text: textOf(one), target: "user" });
      progress.add(workspaceId);
      return [one.tag, workspaceId];
    }),
  );
}

interface Plan {
  readonly cases: readonly Case[];
  readonly options: ChaosOptions;
  readonly tell: Tell;
}

async function runUnderFaults(stage: Stage, { cases, options, tell }: Plan) {
  const poisoned = new Set<string>();
  const disturbance = disturb(stage, options, { isPoison: (workspaceId) => poisoned.has(workspaceId) });
  const progress = follow(stage);
  const workspaces = queue(stage, cases, progress);
  for (const { tag, kind } of cases) if (kind.isPoison) poisoned.add(workspaces.get(tag)!);
  let told = 0;
  await progress.until(1, options.limitMs, (share) => {
    disturbance.progressed(share);
    if (share < told) return;
    tell(`${Math.round(share * cases.length)} of ${cases.length} jobs have ended`);
    told = share + 0.05;
  });
  return { workspaces, disturbance, progress };
}

/**
 * Jobs end before their runs are closed (by their leg, or by the sweep after a kill in between), and runs are closed
 * before their end is counted. A leg that was killed between the two has nothing more to say.
 */
async function closeRuns(stage: Stage): Promise<void> {
  await waitFor(drainMs, async () => (await stage.runs()).every(({ openIn }) => openIn === undefined));
  await waitFor(countedWithinMs, async () => totalOf(countedBy(stage)) >= (await stage.runs()).length);
}

async function waitFor(limitMs: number, isSo: () => Promise<boolean>): Promise<void> {
  for (const untilMs = Date.now() + limitMs; Date.now() < untilMs; await pause(lookMs))
    if (await isSo()) return;
}

interface Ended {
  readonly cases: readonly Case[];
  readonly workspaces: ReadonlyMap<string, string>;
  readonly disturbance: Disturbance;
}

async function lookAt(stage: Stage, { cases, workspaces, disturbance }: Ended): Promise<readonly CaseEnd[]> {
  const runs = await stage.runs();
  const summaries = new Map(stage.studio.snapshot().map((one) => [one.workspaceId, one]));
  const ends: CaseEnd[] = [];
  for (const one of cases) {
    const workspaceId = workspaces.get(one.tag)!;
    const answer = await fetch(`${stage.studio.url}/api/workspaces/${workspaceId}`);
    const { messages } = (await answer.json()) as WorkspaceDetail;
    const own = runs.filter((run) => run.workspaceId === workspaceId);
    const ofRuns = (count: (runId: string, run: Run) => number): number =>
      own.reduce((sum, run) => sum + count(run.runId, run), 0);
    ends.push({
      ...one,
      workspaceId,
      summary: summaries.get(workspaceId)!,
      results: messages.filter(({ role }) => role === "assistant").length,
      asked: stage.asked.of(one.tag),
      brokenLegs: ofRuns((runId) => stage.watch.brokenLegs(runId)),
      lostRounds: ofRuns((_, { state, rounds }) => (state === "lost" ? rounds : 0)),
      unstarted: ofRuns((runId) => stage.watch.unstarted(runId, startLimitMs)),
      failedBeats: ofRuns((runId) => stage.watch.linesOf(runId, "beat_failed")),
      isTaken: disturbance.taken.has(workspaceId),
    });
  }
  return ends;
}
