import * as z from "zod";
import { printable } from "../../lib/core/text.ts";
import { markInvented } from "../canned-model.ts";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { formatAge, formatTime, formatUsd } from "../format.ts";
import {
  backoffText,
  readPoolStatus,
  type PoolState,
  type PoolStatus,
  type Switched,
} from "../pool-status.ts";
import type { Colours, Screen } from "../terminal.ts";
import { reasonInWords } from "../cycle-words.ts";
import { remedyText, whyWaiting, type WhyWaiting } from "../why-waiting.ts";

export const status: Command = defineCommand({
  name: "status",
  summary: "Shows on one screen whether the runner works, which jobs run, and today's totals",
  details:
    "Exits with 1 if something needs attention: an alarm in ALARM, no good poll for 5 minutes, a failed cycle, " +
    "dead letters, a disabled schedule, or a part that did not answer. A pause or a reached daily cap does not count.",
  examples: [
    { line: "status", shows: "every pool of the stack" },
    { line: "status --pool default --json", shows: "one pool, for a script" },
  ],
  input: z.object({}),
  run: async (context) => {
    const [stack, projectVersion, pools] = await Promise.all([
      context.stack(),
      context.project.version(),
      context.pools(),
    ]);
    const nowMs = context.clock.now();
    const statuses = await Promise.all(pools.map((pool) => readPoolStatus(context, pool)));
    const { name, version, status: deployment } = stack;
    const data: StatusData = {
      stack: name,
      deployment,
      version,
      projectVersion,
      atMs: nowMs,
      model: stack.settings.inference.model,
      pools: statuses.map((pool) => ({ ...pool, now: nowOf(context, pool, nowMs) })),
    };
    const wrong = statuses.some(({ problems }) => problems.length > 0);
    return { data, text: (screen) => render(data, screen), exit: wrong ? "finding" : "ok" };
  },
});

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

function nowOf({ commandLine }: Context, pool: PoolStatus, nowMs: number): Now {
  const { remedy, ...now } = whyWaiting(pool, nowMs);
  return { ...now, remedy: remedy === undefined ? null : remedyText(remedy, commandLine) };
}

function render(data: StatusData, { colours }: Screen): string {
  const { stack, version, projectVersion, deployment, pools } = data;
  const skew = version === projectVersion ? "" : colours.yellow(` (this checkout is ${projectVersion})`);
  const head = `${colours.bold(stack)}  version ${version}${skew}  ${colours.dim(deployment)}`;
  return [head, ...pools.map((pool) => renderPool(pool, data, colours))].join("\n\n");
}

const stateWords: Readonly<
  Record<PoolState, { readonly text: string; readonly paint: "green" | "yellow" | "red" }>
> = {
  on: { text: "on", paint: "green" },
  paused: { text: "paused", paint: "yellow" },
  capped: { text: "at its daily cap, no new leases until 00:00 UTC", paint: "yellow" },
  schedule_off: { text: "off, its schedule is disabled", paint: "red" },
};

function renderPool(pool: ExplainedStatus, { atMs: nowMs, model }: StatusData, colours: Colours): string {
  const rows: readonly (readonly [string, string])[] = [
    ["State", stateLine(pool, nowMs, colours)],
    ...waitLines(pool),
    ...pool.backoff.map((one) => ["Back-off", `${backoffText(one)}; clear-backoff ends it`] as const),
    ...leftAloneLines(pool),
    ["Last cycle", cycleLine(pool, nowMs)],
    ["Good poll", pool.goodPollAtMs === null ? "never" : formatAge(nowMs - pool.goodPollAtMs)],
    ["In flight", inFlightLine(pool)],
    ["Today", todayLine(pool)],
    ["Spent", spentLine(pool, model)],
    ["Alarms", alarmLine(pool, colours)],
    ["Dead letters", pool.deadLetters === null ? "unknown" : String(pool.deadLetters)],
  ];
  const lines = rows.map(([name, text]) => `  ${colours.dim(name.padEnd(13))} ${text}`);
  const problems = pool.problems.map((text) => `  ${colours.red("!")} ${printable(text)}`);
  return [`Pool ${colours.bold(pool.pool)}`, ...lines, ...problems].join("\n");
}

/** Why jobs wait, and what to do, unless the state or the back-off already says it. */
function waitLines({
  state,
  now: { cause, sentence, remedy },
}: ExplainedStatus): readonly (readonly [string, string])[] {
  if (cause === "none" || cause === "backoff" || state !== "on") return [];
  return [["Jobs wait", remedy === null ? sentence : `${sentence} ${remedy}`]];
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

function stateLine({ state, paused, resumed }: PoolStatus, nowMs: number, colours: Colours): string {
  const { text, paint } = stateWords[state];
  const painted = colours[paint](text);
  if (paused) return `${painted}${switchedText(paused, nowMs)}`;
  return resumed && state === "on" ? `${painted}, resumed${switchedText(resumed, nowMs)}` : painted;
}

/** " by ann, 2 min ago: it is over" */
function switchedText({ by, why, atMs }: Switched, nowMs: number): string {
  const who = by === undefined ? "" : ` by ${by}`;
  const since = atMs === undefined ? "" : `, ${formatAge(nowMs - atMs)}`;
  return printable(`${who}${since}${why === undefined ? "" : `: ${why}`}`);
}

function cycleLine({ lastCycle }: PoolStatus, nowMs: number): string {
  if (!lastCycle) return "none has ended yet";
  const { reason, atMs, leased } = lastCycle;
  return printable(`${formatAge(nowMs - atMs)}: ${reasonInWords(reason)}${leased > 0 ? ` (${leased})` : ""}`);
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
