import { explainFailure } from "../../lib/attempt/attempt-failure.ts";
import { cancelledText, cancelRun, shortName } from "../../cli/cancel-run.ts";
import { cannedModelName } from "../../cli/canned-model.ts";
import type { StackContext } from "../../cli/context.ts";
import { findRunsOf } from "../../cli/job-ids.ts";
import { whyUnread } from "../../cli/log-lines.ts";
import { readPoolStatus } from "../../cli/pool-status.ts";
import { factsOf, noLogLines, readTimelines, whyOf, type Timeline } from "../../cli/timeline.ts";
import { whyWaiting, type WhyWaiting } from "../../cli/why-waiting.ts";
import { runStates, type Run } from "../../lib/runs/run.ts";
import type { RunFeed } from "./feed.ts";
import { phasesOf } from "./phases.ts";
import type { RunDetail, RunRow, RunsView } from "./view.ts";

/** What the pages about runs read, and the one thing that they do. */
export interface RunsSource {
  runs(wanted: WantedRuns): Promise<RunsView>;
  /** @throws CliError `not_found` */
  run(runId: string): Promise<RunDetail>;
  /** The newest, newest first. */
  ofWorkspace(workspaceId: string): Promise<readonly RunRow[]>;
  /** What the runner does, or why this workspace's job waits. */
  now(workspaceId?: string): Promise<WhyWaiting>;
  /** Says what happens next. @throws CliError `not_found`; `refused`, when it is too late */
  cancel(runId: string): Promise<string>;
  commandLine(words: string): string;
}

/** "open": leased or running. */
export const wantedStates = ["open", ...runStates] as const;

export interface WantedRuns {
  readonly state?: (typeof wantedStates)[number] | undefined;
  /** A part of a title, an id or a reason. */
  readonly q?: string | undefined;
  readonly before?: string | undefined;
}

const pageSize = 50;
const readSize = 200;
/** How many runs one request looks through. `next` continues where it stopped. */
const mostRead = 2_000;
const mostOfWorkspace = 100;
/** The newest log lines that a page gets. */
const mostLines = 2_000;

export interface KnownOfRuns extends Pick<RunFeed, "progressOf"> {
  /** The workspace's present name. `undefined`: not known, and the run's title is shown. */
  readonly nameOf: (workspaceId: string) => string | undefined;
}

/** Reads the stack through the command line's own functions, so that both say the same. */
export function createRunsSource(context: StackContext, { progressOf, nameOf }: KnownOfRuns): RunsSource {
  const rowOf = (run: Run): RunRow =>
    toRow(run, { progress: progressOf(run.runId), name: nameOf(run.workspaceId) });
  return {
    runs: (wanted) => findPage(context, wanted, rowOf),
    run: async (runId) => {
      const found = await findRunsOf(context, runId);
      const unread = await whyUnread(context);
      const [timeline] = await readTimelines(context, found, unread === undefined);
      return detailOf(timeline ?? { run: found.runs[0], steps: [], lines: [] }, { context, rowOf, unread });
    },
    ofWorkspace: async (workspaceId) => {
      const { name } = await context.pool();
      const { runs } = await context.runStore();
      return (await runs.runsOf(name, workspaceId)).slice(0, mostOfWorkspace).map(rowOf);
    },
    now: async (workspaceId) =>
      whyWaiting(await readPoolStatus(context, await context.pool()), context.clock.now(), workspaceId),
    cancel: (runId) => cancel(context, runId),
    commandLine: (words) => context.commandLine(words),
  };
}

async function cancel(context: StackContext, runId: string): Promise<string> {
  const { name: pool } = await context.pool();
  const ports = { runs: (await context.runStore()).runs, clock: context.clock };
  const done = await cancelRun(ports, { pool, runId }, { by: shortName(await context.caller()) });
  return cancelledText(done, context.clock.now());
}

async function findPage(
  context: StackContext,
  { state, q = "", before }: WantedRuns,
  rowOf: (run: Run) => RunRow,
): Promise<RunsView> {
  const { name } = await context.pool();
  const { runs } = await context.runStore();
  const fits = (run: Run): boolean => isIn(run, state) && (q === "" || contains(rowOf(run), q));
  const found: Run[] = [];
  let beforeRunId = before;
  for (let read = 0; read < mostRead; read += readSize) {
    const page = await runs.recentRuns(name, { limit: readSize, beforeRunId });
    found.push(...page.filter(fits));
    beforeRunId = page.at(-1)?.runId;
    const isLast = page.length < readSize;
    if (found.length > pageSize) {
      const shown = found.slice(0, pageSize);
      return { runs: shown.map(rowOf), next: shown.at(-1)?.runId ?? null };
    }
    if (isLast || beforeRunId === undefined) return { runs: found.map(rowOf), next: null };
  }
  return { runs: found.map(rowOf), next: beforeRunId ?? null };
}

function isIn({ state, endedAtMs }: Run, wanted: WantedRuns["state"]): boolean {
  if (wanted === undefined) return true;
  return wanted === "open" ? endedAtMs === undefined : state === wanted;
}

function contains({ runId, workspaceId, title, reason, explanation }: RunRow, q: string): boolean {
  const wanted = q.toLowerCase();
  return [runId, workspaceId, title, reason, explanation].some((text) =>
    text?.toLowerCase().includes(wanted),
  );
}

interface Known {
  readonly progress: string | null;
  readonly name: string | undefined;
}

function toRow(run: Run, { progress, name }: Known): RunRow {
  const { runId, workspaceId, title, state, cancelled, reason, explanation, model, usage } = run;
  return {
    runId,
    workspaceId,
    title: name || title || null,
    state,
    cancelledBy: cancelled?.by ?? null,
    reason: reason === undefined || reason === "ok" ? null : reason,
    explanation: explanation ?? explainFailure(reason ?? "") ?? null,
    attempts: run.attempt,
    rounds: run.rounds,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    costUsd: run.costUsd ?? null,
    isInvented: model === cannedModelName,
    leasedAtMs: run.leasedAtMs,
    endedAtMs: run.endedAtMs ?? null,
    progress: run.endedAtMs === undefined ? progress : null,
  };
}

interface Around {
  readonly context: StackContext;
  readonly rowOf: (run: Run) => RunRow;
  readonly unread: string | undefined;
}

function detailOf({ run, steps, lines }: Timeline, { context, rowOf, unread }: Around): RunDetail {
  const nowMs = context.clock.now();
  const row = rowOf(run);
  const beats = lines.filter(({ event }) => event === "heartbeat_accepted").map(({ atMs }) => atMs);
  const newest = run.heartbeatAtMs === undefined ? [] : [run.heartbeatAtMs];
  return {
    ...row,
    facts: factsOf(run),
    why: row.reason === null ? null : whyOf(run),
    isUnconfirmed: run.unconfirmed === true,
    note: lines.length > 0 ? null : (unread ?? noLogLines),
    phases: phasesOf(run, lines, nowMs),
    heartbeatsMs: beats.length > 0 ? beats : newest,
    steps,
    log: lines.slice(-mostLines).map(({ fields }) => fields),
    command: context.commandLine(`explain ${run.runId}`),
  };
}
