import * as z from "zod";
import { runStates, type Run, type RunState } from "../../lib/runs/run.ts";
import { markInvented } from "../canned-model.ts";
import { defineCommand, type Command } from "../command.ts";
import type { StackContext } from "../context.ts";
import { formatDuration, formatUsd, isoTime } from "../format.ts";
import { renderTable, type Cell, type Column } from "../table.ts";
import { shortIds } from "../short-ids.ts";
import { isPiped, type Colours, type Screen } from "../terminal.ts";
import { choice, duration, whole } from "../values.ts";

const pageSize = 100;

const input = z.object({
  limit: whole(1, 1_000).default(20),
  state: choice(runStates).optional(),
  since: duration().optional(),
});
type Input = z.output<typeof input>;

export const jobs: Command = defineCommand({
  name: "jobs",
  summary: "Lists recent jobs, newest first, with their ids, outcome, reason, title, time and cost",
  details:
    "Runs are kept in the run store for 30 days after their end. The ids are shortened, but never so far that two of them look the same; " +
    "explain, logs and cancel accept them. In a pipe: time of the lease, pool, run, workspace, state, reason, attempts, rounds, seconds, US dollars, title.",
  options: [
    { flags: "--limit <count>", meaning: "how many to show; default: 20" },
    {
      flags: "--state <state>",
      meaning: `only runs in this state: ${runStates.join(", ")}`,
      choices: runStates,
    },
    { flags: "--since <time>", meaning: "leased within this time: 90s, 5m, 2h, 7d" },
  ],
  examples: [
    { line: "jobs", shows: "the newest 20" },
    { line: "jobs --state failed --since 1d", shows: "what failed in a day, and why" },
  ],
  input,
  run: async (context, wanted) => {
    const nowMs = context.clock.now();
    const pools = await context.pools();
    const found = await Promise.all(pools.map(({ name }) => findRuns(context, name, wanted)));
    const runs = found
      .flat()
      .toSorted((a, b) => b.leasedAtMs - a.leasedAtMs)
      .slice(0, wanted.limit);
    const data = { atMs: nowMs, jobs: runs.map(toJob) };
    return { data, text: (screen) => render(runs, { nowMs, pools: pools.length, screen }) };
  },
});

/** Newest first. Reads pages until there are enough runs, or the rest is older than requested. */
export async function findRuns(
  context: StackContext,
  pool: string,
  { limit, state, since }: Input,
): Promise<readonly Run[]> {
  const { runs } = await context.runStore();
  const fromMs = since === undefined ? 0 : context.clock.now() - since;
  const found: Run[] = [];
  let beforeRunId: string | undefined;
  for (;;) {
    const page = await runs.recentRuns(pool, { limit: pageSize, beforeRunId });
    const recent = page.filter(({ leasedAtMs }) => leasedAtMs >= fromMs);
    found.push(...recent.filter((run) => state === undefined || run.state === state));
    beforeRunId = page.at(-1)?.runId;
    const isLast = page.length < pageSize || recent.length < page.length;
    if (isLast || found.length >= limit || context.signal.aborted) return found.slice(0, limit);
  }
}

/** A run for scripts, with the job's own ids and times in epoch ms. */
export function toJob(run: Run): Readonly<Record<string, unknown>> {
  const { usage, endedAtMs, ...rest } = run;
  return {
    pool: rest.pool,
    workspaceId: rest.workspaceId,
    runId: rest.runId,
    title: rest.title ?? null,
    state: rest.state,
    reason: rest.reason ?? null,
    explanation: rest.explanation ?? null,
    leasedAtMs: rest.leasedAtMs,
    endedAtMs: endedAtMs ?? null,
    leaseExpiresAtMs: rest.leaseExpiresAtMs,
    attempts: rest.attempt,
    starts: rest.starts,
    continuations: rest.continuations,
    failures: rest.failures,
    rounds: rest.rounds,
    model: rest.model ?? null,
    usage,
    costUsd: rest.costUsd ?? null,
    keyId: rest.keyId,
  };
}

const columns: readonly Column[] = [
  { title: "age", align: "right" },
  { title: "pool", optional: 6 },
  { title: "run" },
  { title: "workspace", optional: 5 },
  { title: "state" },
  { title: "reason", shrinks: true },
  { title: "attempts", align: "right", optional: 2 },
  { title: "rounds", align: "right", optional: 1 },
  { title: "time", align: "right", optional: 4 },
  { title: "cost", align: "right", optional: 3 },
  { title: "title", shrinks: true, least: 12, optional: 7 },
];

interface View {
  readonly nowMs: number;
  readonly pools: number;
  readonly screen: Screen;
}

function render(runs: readonly Run[], { nowMs, pools, screen }: View): string {
  if (runs.length === 0) return isPiped(screen) ? "" : "No such jobs in the run store.";
  const runIds = shortIds(runs.map(({ runId }) => runId));
  const workspaceIds = shortIds(runs.map(({ workspaceId }) => workspaceId));
  const rows = runs.map((run): readonly Cell[] => {
    const tookMs = (run.endedAtMs ?? nowMs) - run.leasedAtMs;
    const { costUsd, model, title = "" } = run;
    return [
      { text: formatDuration(nowMs - run.leasedAtMs), piped: isoTime(run.leasedAtMs) },
      run.pool,
      { text: runIds(run.runId), piped: run.runId },
      { text: workspaceIds(run.workspaceId), piped: run.workspaceId },
      { text: run.state, paint: screen.colours[paints[run.state]] },
      run.reason === undefined || run.reason === "ok" ? "" : run.reason,
      String(run.attempt),
      String(run.rounds),
      { text: formatDuration(tookMs), piped: (tookMs / 1_000).toFixed(1) },
      costUsd === undefined ? "" : { text: markInvented(formatUsd(costUsd), model), piped: String(costUsd) },
      title,
    ];
  });
  const shown = columns.map((column) =>
    column.title === "pool" && pools === 1 ? ({ ...column, pipedOnly: true } as const) : column,
  );
  return renderTable(shown, rows, screen);
}

const paints: Readonly<Record<RunState, "green" | "red" | "yellow" | "cyan">> = {
  leased: "cyan",
  running: "cyan",
  completed: "green",
  failed: "red",
  lost: "yellow",
};

export const paintState = (state: RunState, colours: Colours): string => colours[paints[state]](state);
