import * as z from "zod";
import type { Run } from "../../lib/runs/run.ts";
import { printable } from "../../lib/core/text.ts";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { count, formatDuration, formatTime, formatUsd } from "../format.ts";
import { findRunsOf } from "../job-ids.ts";
import { filterFor, toReadableLine, whyUnread, type ReadableLine } from "../log-lines.ts";
import { roles, type Role, type StackPool } from "../stack.ts";
import type { Colours, Screen } from "../terminal.ts";
import { id } from "../values.ts";
import { paintState, toJob } from "./jobs.ts";

/** Log lines are written slightly before the lease is recorded and after the run is finished. */
const marginMs = 120_000;

interface Step {
  readonly atMs: number;
  readonly source: Role | "run store";
  readonly attempt: number | null;
  readonly event: string | null;
  readonly what: string;
  readonly tone: ReadableLine["tone"];
}

interface Timeline {
  readonly run: Run;
  readonly steps: readonly Step[];
  readonly logLines: number;
}

export const explain: Command = defineCommand({
  name: "explain",
  summary: "Shows one job's timeline from the run store and the logs",
  details:
    "Takes a workspace's id (all of its runs, oldest first) or a run's. Log lines never contain prompts or answers.",
  arguments: [{ name: "job", meaning: "the id of a workspace or a run" }],
  examples: [
    { line: "explain ws_7f3a", shows: "every run of the workspace" },
    { line: "explain 01JCZ9V5W3X8K2M4N6P8Q0R2S4", shows: "one run" },
  ],
  input: z.object({ job: id() }),
  run: async (context, { job }) => {
    const { pool, runs } = await findRunsOf(context, job);
    const unread = await whyUnread(context);
    const lines = unread === undefined ? await readLines(context, pool, runs) : [];
    const timelines = runs.map((run) => timelineOf(run, lines));
    const data = {
      pool: pool.name,
      workspaceId: runs[0].workspaceId,
      note: unread ?? null,
      runs: timelines.map(({ run, steps }) => ({ ...toJob(run), steps })),
    };
    return { data, text: (screen) => render(data, timelines, screen) };
  },
});

/** Log lines of all functions about the runs' workspace, from the first lease to the last end. */
async function readLines(
  context: Context,
  pool: StackPool,
  runs: readonly [Run, ...Run[]],
): Promise<readonly ReadableLine[]> {
  const { logs } = await context.aws();
  const last = runs.at(-1) ?? runs[0];
  const query = {
    startMs: runs[0].leasedAtMs - marginMs,
    endMs: (last.endedAtMs ?? context.clock.now()) + marginMs,
    pattern: filterFor("workspaceId", runs[0].workspaceId),
    signal: context.signal,
  };
  const perRole = await Promise.all(
    roles.map(async (role) => {
      const group = pool.logGroups[role];
      if (group === undefined) return [];
      const records = await logs.records({ ...query, group });
      return records.flatMap((record) => toReadableLine(record, role) ?? []);
    }),
  );
  return perRole.flat();
}

function timelineOf(run: Run, lines: readonly ReadableLine[]): Timeline {
  const own = lines.filter(({ runId, minor }) => runId === run.runId && !minor);
  const logSteps = own.map(({ atMs, function: source, attempt, event, what, tone }) => ({
    atMs,
    source,
    attempt: attempt ?? null,
    event: event ?? null,
    what,
    tone,
  }));
  const steps = [...runStoreSteps(run), ...logSteps].toSorted((a, b) => a.atMs - b.atMs);
  return { run, steps, logLines: own.length };
}

/** Steps from the run store, so that the timeline is complete even if the logs have expired. */
function runStoreSteps(run: Run): readonly Step[] {
  const step = (atMs: number, what: string, tone: Step["tone"] = "plain"): Step => ({
    atMs,
    source: "run store",
    attempt: null,
    event: null,
    what,
    tone,
  });
  const { leasedAtMs, keyId, heartbeatAtMs, endedAtMs, state, reason, createdAtMs, leaseExpiresAtMs } = run;
  return [
    ...(createdAtMs === undefined ? [] : [step(createdAtMs, "its newest message was written")]),
    step(leasedAtMs, `the run is created under a lease of ${formatDuration(run.leaseMs)}, key ${keyId}`),
    ...(endedAtMs === undefined && heartbeatAtMs !== undefined
      ? [step(heartbeatAtMs, "the newest heartbeat")]
      : []),
    ...(endedAtMs === undefined
      ? [step(leaseExpiresAtMs, "the lease ends, unless a heartbeat renews it")]
      : [step(endedAtMs, `the run is finished: ${state}, ${reason ?? "no reason"}`, toneOfEnd(state))]),
  ];
}

const toneOfEnd = (state: Run["state"]): Step["tone"] => (state === "completed" ? "good" : "bad");

interface About {
  readonly workspaceId: string;
  /** Why there are no log lines; null: they were read. */
  readonly note: string | null;
}

function render({ workspaceId, note }: About, timelines: readonly Timeline[], screen: Screen): string {
  const { bold, yellow } = screen.colours;
  const head = `Workspace ${bold(printable(workspaceId))}: ${count(timelines.length, "run")}`;
  const stories = timelines.map((timeline) => {
    const expired = "No log lines were found: they are kept for a limited time only.";
    const without = timeline.logLines > 0 ? "" : `\n${yellow(note ?? expired)}`;
    return `${renderStory(timeline, screen.colours)}${without}`;
  });
  return [head, ...stories].join("\n\n");
}

function renderStory({ run, steps }: Timeline, colours: Colours): string {
  const head = `Run ${colours.bold(run.runId)}  ${paintState(run.state, colours)}  ${colours.dim(facts(run))}`;
  const unsure = run.unconfirmed
    ? [colours.yellow("Studio did not confirm this, so its own state may differ.")]
    : [];
  const why = run.reason === undefined || run.reason === "ok" ? [] : [whyOf(run), ...unsure];
  const [first] = steps;
  const lines = steps.map((step) => stepLine(step, first?.atMs ?? 0, colours));
  const begun = first === undefined ? [] : [colours.dim(`from ${formatTime(first.atMs)} UTC`)];
  return [head, ...why, ...begun, ...lines].join("\n");
}

function whyOf({ reason, explanation, failures }: Run): string {
  const earlier = failures.length === 0 ? "" : `  (earlier attempts: ${failures.join(", ")})`;
  return printable(`Reason: ${reason}${explanation === undefined ? "" : `: ${explanation}`}${earlier}`);
}

function facts({ attempt, rounds, model, usage, costUsd, leasedAtMs, endedAtMs }: Run): string {
  const parts = [
    ...(endedAtMs === undefined ? [] : [formatDuration(endedAtMs - leasedAtMs)]),
    count(attempt, "attempt"),
    count(rounds, "round"),
    ...(model === undefined ? [] : [model]),
    `${usage.inputTokens} tokens in, ${usage.outputTokens} out`,
    ...(costUsd === undefined ? [] : [formatUsd(costUsd)]),
  ];
  return printable(parts.join(", "));
}

function stepLine({ atMs, source, attempt, what, tone }: Step, firstMs: number, colours: Colours): string {
  const after = `+${((atMs - firstMs) / 1_000).toFixed(1)}s`.padStart(9);
  const who = `${source}${attempt === null ? "" : ` ${attempt}`}`.padEnd(12);
  const paint = { plain: String, good: colours.green, bad: colours.red }[tone];
  return `${colours.dim(after)}  ${colours.cyan(who)}  ${paint(printable(what))}`;
}
