import * as z from "zod";
import { printable } from "../../lib/core/text.ts";
import { defineCommand, type Command } from "../command.ts";
import { count, formatTime } from "../format.ts";
import { findRunsOf } from "../job-ids.ts";
import { whyUnread } from "../log-lines.ts";
import type { Colours, Screen } from "../terminal.ts";
import { factsOf, noLogLines, readTimelines, whyOf, type Step, type Timeline } from "../timeline.ts";
import { id } from "../values.ts";
import { paintState, toJob } from "./jobs.ts";

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
    const found = await findRunsOf(context, job);
    const { pool, runs } = found;
    const unread = await whyUnread(context);
    const timelines = await readTimelines(context, found, unread === undefined);
    const data = {
      pool: pool.name,
      workspaceId: runs[0].workspaceId,
      note: unread ?? null,
      runs: timelines.map(({ run, steps }) => ({ ...toJob(run), steps })),
    };
    return { data, text: (screen) => render(data, timelines, screen) };
  },
});

interface About {
  readonly workspaceId: string;
  /** Why there are no log lines; null: they were read. */
  readonly note: string | null;
}

function render({ workspaceId, note }: About, timelines: readonly Timeline[], screen: Screen): string {
  const { bold, yellow } = screen.colours;
  const head = `Workspace ${bold(printable(workspaceId))}: ${count(timelines.length, "run")}`;
  const stories = timelines.map((timeline) => {
    const without = timeline.lines.length > 0 ? "" : `\n${yellow(note ?? noLogLines)}`;
    return `${renderStory(timeline, screen.colours)}${without}`;
  });
  return [head, ...stories].join("\n\n");
}

function renderStory({ run, steps }: Timeline, colours: Colours): string {
  const head = `Run ${colours.bold(run.runId)}  ${paintState(run.state, colours)}  ${colours.dim(factsOf(run))}`;
  const unsure = run.unconfirmed
    ? [colours.yellow("Studio did not confirm this, so its own state may differ.")]
    : [];
  const why = run.reason === undefined || run.reason === "ok" ? [] : [whyOf(run), ...unsure];
  const [first] = steps;
  const lines = steps.map((step) => stepLine(step, first?.atMs ?? 0, colours));
  const begun = first === undefined ? [] : [colours.dim(`from ${formatTime(first.atMs)} UTC`)];
  return [head, ...why, ...begun, ...lines].join("\n");
}

function stepLine({ atMs, source, attempt, what, tone }: Step, firstMs: number, colours: Colours): string {
  const after = `+${((atMs - firstMs) / 1_000).toFixed(1)}s`.padStart(9);
  const who = `${source}${attempt === null ? "" : ` ${attempt}`}`.padEnd(12);
  const paint = { plain: String, good: colours.green, bad: colours.red }[tone];
  return `${colours.dim(after)}  ${colours.cyan(who)}  ${paint(printable(what))}`;
}
