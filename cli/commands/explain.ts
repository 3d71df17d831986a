import * as z from "zod";
import { printable } from "../../lib/core/text.ts";
import { defineCommand, type Command } from "../command.ts";
import { count, formatTime, isoTime } from "../format.ts";
import { findRunsOf, jobMeaning } from "../job-ids.ts";
import { whyUnread } from "../log-lines.ts";
import { pipedLine } from "../table.ts";
import { isPiped, type Colours, type Screen } from "../terminal.ts";
import { factsOf, noLogLines, readTimelines, whyOf, type Step, type Timeline } from "../timeline.ts";
import { id } from "../values.ts";
import { paintState, toJob } from "./jobs.ts";

export const explain: Command = defineCommand({
  name: "explain",
  summary: "Shows one job's timeline from the run store and the logs",
  details:
    "Takes the id of a workspace (all of its runs, oldest first) or of a run, or the beginning of one as jobs shows it. " +
    "Log lines never contain prompts or answers. In a pipe: workspace, run, time, source, attempt, event.",
  arguments: [{ name: "job", meaning: jobMeaning }],
  examples: [
    { line: "explain ws_7f3a", shows: "every run of the workspace" },
    { line: "explain 01JCZ9V5W3X8K2M4N6P8Q0R2S4", shows: "one run" },
    { line: "explain 01JCZ9V5W3", shows: "the same, by the id that jobs shows" },
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
      title: (runs.at(-1) ?? runs[0]).title ?? null,
      note: unread ?? null,
      runs: timelines.map(({ run, steps }) => ({ ...toJob(run), steps })),
    };
    return { data, text: (screen) => render(data, timelines, screen) };
  },
});

interface About {
  readonly workspaceId: string;
  readonly title: string | null;
  /** Why there are no log lines; null: they were read. */
  readonly note: string | null;
}

function render(about: About, timelines: readonly Timeline[], screen: Screen): string {
  const { workspaceId, title, note } = about;
  if (isPiped(screen)) return timelines.flatMap((timeline) => pipedLines(timeline, note)).join("\n");
  const { bold, yellow } = screen.colours;
  const named = `Workspace ${bold(printable(workspaceId))}${title === null ? "" : `, ${printable(title)}`}`;
  const head = `${named}: ${count(timelines.length, "run")}`;
  const stories = timelines.map((timeline) => {
    const without = timeline.lines.length > 0 ? "" : `\n${yellow(note ?? noLogLines)}`;
    return `${renderStory(timeline, screen.colours)}${without}`;
  });
  return [head, ...stories].join("\n\n");
}

/** One line per event, and the reason of a failure as the last one. */
function pipedLines({ run, steps, lines }: Timeline, note: string | null): readonly string[] {
  const { workspaceId, runId, reason, leasedAtMs, endedAtMs = leasedAtMs } = run;
  const line = (atMs: number, source: string, [attempt, what]: readonly [number | null, string]): string =>
    pipedLine([workspaceId, runId, isoTime(atMs), source, attempt === null ? "" : String(attempt), what]);
  return [
    ...steps.map(({ atMs, source, attempt, what }) => line(atMs, source, [attempt, what])),
    ...(reason === undefined || reason === "ok" ? [] : [line(endedAtMs, "run store", [null, whyOf(run)])]),
    ...(lines.length > 0 ? [] : [line(endedAtMs, "note", [null, note ?? noLogLines])]),
  ];
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
