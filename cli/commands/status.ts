import * as z from "zod";
import { printable } from "../../lib/core/text.ts";
import { markInvented } from "../canned-model.ts";
import { defineCommand, type Command, type Outcome } from "../command.ts";
import type { Context } from "../context.ts";
import { formatAge, formatTime, formatUsd, isoTime } from "../format.ts";
import {
  backoffText,
  readPoolStatus,
  type PoolState,
  type PoolStatus,
  type Switched,
} from "../pool-status.ts";
import { pipedLine } from "../table.ts";
import { isPiped, noColours, type Colours, type Screen } from "../terminal.ts";
import { whole } from "../values.ts";
import { watch } from "../watch.ts";
import { isGoodReason, reasonInWords, remedyText } from "../cycle-words.ts";
import type { StackPool } from "../stack.ts";
import { whyWaiting, type WhyWaiting } from "../why-waiting.ts";

const defaultWatchSeconds = 2;

export const status: Command = defineCommand({
  name: "status",
  summary: "Shows on one screen whether the runner works, which jobs run, and today's totals",
  details:
    "Exits with 1 if something needs attention: an alarm in ALARM, no good poll for 5 minutes, a failed cycle, " +
    "dead letters, a disabled schedule, or a part that did not answer. A pause or a reached daily cap does not count. " +
    "In a pipe: pool, fact, value; with --watch whenever something has changed, and with --json as one document per line.",
  options: [
    {
      flags: "--watch [seconds]",
      meaning: `look again and again until Ctrl-C; default: every ${defaultWatchSeconds} seconds`,
    },
  ],
  examples: [
    { line: "status", shows: "every pool of the stack" },
    { line: "status --pool default --json", shows: "one pool, for a script" },
    { line: "status --watch", shows: "a screen that stays up to date" },
  ],
  input: z.object({
    watch: z.preprocess(
      (given) => (given === true ? String(defaultWatchSeconds) : given),
      whole(1, 3_600).optional(),
    ),
  }),
  run: async (context, { watch: everySeconds }) =>
    everySeconds === undefined ? look(context) : watch(context, everySeconds * 1_000, look),
});

async function look(context: Context): Promise<Outcome> {
  const [stack, projectVersion, pools] = await Promise.all([
    context.stack(),
    context.project.version(),
    context.pools(),
  ]);
  const nowMs = context.clock.now();
  const statuses = await Promise.all(pools.map((pool) => explain(context, pool)));
  const { name, version, status: deployment } = stack;
  const data: StatusData = {
    stack: name,
    deployment,
    version,
    projectVersion,
    atMs: nowMs,
    model: stack.settings.inference.model,
    pools: statuses,
  };
  const wrong = statuses.some(({ problems }) => problems.length > 0);
  return { data, text: (screen) => render(data, screen), exit: wrong ? "finding" : "ok" };
}

interface StatusData {
  readonly stack: string;
  readonly deployment: string;
  readonly version: string;
  readonly projectVersion: string;
  readonly atMs: number;
  readonly model: string;
  readonly pools: readonly ExplainedStatus[];
}

interface ExplainedStatus extends PoolStatus {
  /** What the pool does now, and why jobs wait if they do. */
  readonly now: Now;
}

interface Now extends Omit<WhyWaiting, "remedy"> {
  readonly remedy: string | null;
}

async function explain(context: Context, pool: StackPool): Promise<ExplainedStatus> {
  const found = await readPoolStatus(context, pool);
  const { remedy, ...now } = whyWaiting(found, context.clock.now());
  const commandLine = (words: string): string => context.commandLine(words, pool);
  return {
    ...found,
    now: { ...now, remedy: remedy === undefined ? null : remedyText(remedy, commandLine) },
  };
}

function render(data: StatusData, screen: Screen): string {
  const { colours } = screen;
  if (isPiped(screen)) return pipedStatus(data);
  const { stack, version, projectVersion, deployment, pools } = data;
  const skew = version === projectVersion ? "" : colours.yellow(` (this checkout is ${projectVersion})`);
  const head = `${colours.bold(stack)}  version ${version}${skew}  ${colours.dim(deployment)}`;
  return [head, ...pools.map((pool) => renderPool(pool, data, colours))].join("\n\n");
}

/** Facts about the stack have no pool. */
function pipedStatus({ stack, version, projectVersion, deployment, pools, model }: StatusData): string {
  const shown = { model, time: isoTime, colours: noColours };
  const facts = { Stack: stack, Version: version, Checkout: projectVersion, Deployment: deployment };
  return [
    ...Object.entries(facts).map(([name, value]) => pipedLine(["", name, value])),
    ...pools.flatMap((pool) =>
      [...rowsOf(pool, shown), ...pool.problems.map((text) => ["Problem", text])].map((cells) =>
        pipedLine([pool.pool, ...cells]),
      ),
    ),
  ].join("\n");
}

const stateWords: Readonly<
  Record<PoolState, { readonly text: string; readonly paint: "green" | "yellow" | "red" }>
> = {
  on: { text: "on", paint: "green" },
  paused: { text: "paused", paint: "yellow" },
  capped: { text: "at its daily cap, no new leases until 00:00 UTC", paint: "yellow" },
  schedule_off: { text: "off, its schedule is disabled", paint: "red" },
};

interface Shown {
  readonly model: string;
  /** How a time is shown: as an age to a person, and in full to a program. */
  readonly time: (atMs: number) => string;
  readonly colours: Colours;
}

function rowsOf(
  pool: ExplainedStatus,
  { model, time, colours }: Shown,
): readonly (readonly [string, string])[] {
  return [
    ["State", stateLine(pool, time, colours)],
    ...waitLines(pool),
    ...pool.backoff.map((one) => ["Back-off", `${backoffText(one)}; clear-backoff ends it`] as const),
    ...leftAloneLines(pool),
    ["Last cycle", cycleLine(pool, time)],
    ["Good poll", pool.goodPollAtMs === null ? "never" : time(pool.goodPollAtMs)],
    ["In flight", inFlightLine(pool)],
    ["Today", todayLine(pool)],
    ["Spent", spentLine(pool, model)],
    ["Alarms", alarmLine(pool, colours)],
    ["Dead letters", pool.deadLetters === null ? "unknown" : String(pool.deadLetters)],
  ];
}

function renderPool(pool: ExplainedStatus, { atMs: nowMs, model }: StatusData, colours: Colours): string {
  const rows = rowsOf(pool, { model, time: (atMs) => formatAge(nowMs - atMs), colours });
  const lines = rows.map(([name, text]) => `  ${colours.dim(name.padEnd(13))} ${text}`);
  const problems = pool.problems.map((text) => `  ${colours.red("!")} ${printable(text)}`);
  return [`Pool ${colours.bold(pool.pool)}`, ...lines, ...problems].join("\n");
}

/** Why jobs wait, and what to do, without what the state, the back-off or a problem already says. */
function waitLines({
  state,
  now: { cause, sentence, remedy },
}: ExplainedStatus): readonly (readonly [string, string])[] {
  if (cause === "none" || cause === "backoff" || cause === "failed" || cause === "schedule_off") return [];
  const why = state === "on" ? [sentence] : [];
  return [["Jobs wait", [...why, ...(remedy === null ? [] : [remedy])].join(" ")]];
}

/** The maximum number of workspaces shown; `--json` has them all. */
const mostLeftAlone = 3;

function leftAloneLines({ leftAlone }: PoolStatus): readonly (readonly [string, string])[] {
  const lines = leftAlone.slice(0, mostLeftAlone).map(({ workspaceId, untilMs }) => {
    const until = formatTime(untilMs).slice(11);
    return [
      "Left alone",
      printable(`${workspaceId} until ${until} UTC: several of its runs in a row lost their leases`),
    ] as const;
  });
  const more = leftAlone.length - lines.length;
  return more > 0 ? [...lines, ["Left alone", `and ${more} more workspaces`]] : lines;
}

function stateLine({ state, paused, resumed }: PoolStatus, time: Shown["time"], colours: Colours): string {
  const { text, paint } = stateWords[state];
  const painted = colours[paint](text);
  if (paused) return `${painted}${switchedText(paused, time)}`;
  return resumed && state === "on" ? `${painted}, resumed${switchedText(resumed, time)}` : painted;
}

/** " by ann, 2 min ago: it is over" */
function switchedText({ by, why, atMs }: Switched, time: Shown["time"]): string {
  const who = by === undefined ? "" : ` by ${by}`;
  const since = atMs === undefined ? "" : `, ${time(atMs)}`;
  return printable(`${who}${since}${why === undefined ? "" : `: ${why}`}`);
}

function cycleLine({ lastCycle }: PoolStatus, time: Shown["time"]): string {
  if (!lastCycle) return "none has ended yet";
  const { reason, atMs, leased } = lastCycle;
  // A problem says it in words, unless a poll has succeeded since.
  const text = isGoodReason(reason) ? reasonInWords(reason) : `failed (${reason})`;
  return printable(`${time(atMs)}: ${text}${leased > 0 ? ` (${leased})` : ""}`);
}

function inFlightLine({ inFlight, concurrency }: PoolStatus): string {
  const { value, deployed, by } = concurrency;
  const set = value === deployed ? "" : ` (deployed: ${deployed}${by === undefined ? "" : `; set by ${by}`})`;
  return printable(`${inFlight} of ${value}${set}`);
}

function todayLine({ today: { completed, failed, lost } }: PoolStatus): string {
  return `${completed} completed, ${failed} failed, ${lost} lost`;
}

function spentLine({ today: { costUsd, day }, dailyCapUsd }: PoolStatus, model: string): string {
  const { value, deployed, by } = dailyCapUsd;
  const spent = markInvented(formatUsd(costUsd), model);
  if (value === null) return `${spent} on ${day} (UTC), estimated; no daily cap`;
  const percent = value === 0 ? 100 : Math.round((costUsd / value) * 100);
  const was = deployed === null ? "none" : formatUsd(deployed);
  const set = value === deployed ? "" : `; deployed: ${was}${by === undefined ? "" : `, set by ${by}`}`;
  return printable(`${spent} of ${formatUsd(value)} (${percent} %) on ${day} (UTC), estimated${set}`);
}

function alarmLine({ alarms }: PoolStatus, colours: Colours): string {
  if (alarms === null) return "unknown";
  if (alarms.length === 0) return "none in this stack (setting monitoring.level)";
  const loud = alarms.filter(({ state }) => state === "ALARM").map(({ id }) => id);
  const unsure = alarms.filter(({ state }) => state === "INSUFFICIENT_DATA").length;
  const quiet = `${alarms.length - loud.length - unsure} OK${unsure > 0 ? `, ${unsure} without data yet` : ""}`;
  return loud.length > 0 ? `${colours.red(`ALARM: ${loud.join(", ")}`)}; ${quiet}` : quiet;
}
