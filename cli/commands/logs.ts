import * as z from "zod";
import { printable } from "../../lib/core/text.ts";
import { defineCommand, type Command } from "../command.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { isoTime } from "../format.ts";
import { findRunsOf, isRunId } from "../job-ids.ts";
import { filterFor, toReadableLine, whyUnread, type ReadableLine } from "../log-lines.ts";
import { createRepeatedRead } from "../repeated-read.ts";
import { shortIds } from "../short-ids.ts";
import { roles, type Role, type StackPool } from "../stack.ts";
import { pipedLine } from "../table.ts";
import { isPiped, type Colours, type Screen } from "../terminal.ts";
import { choice, duration, id } from "../values.ts";

const followEveryMs = 2_000;
/** CloudWatch can show lines this late, and out of order. */
const lateMs = 15_000;

const input = z.object({
  follow: z.boolean().default(false),
  job: id().optional(),
  since: duration().default(600_000),
  function: choice(roles).optional(),
});

export const logs: Command = defineCommand({
  name: "logs",
  summary: "Shows the functions' log lines in plain words",
  details:
    "With --json the lines are shown as they were written, and with --follow as one JSON document per line. " +
    "In a pipe: time, function, workspace, text.",
  options: [
    { flags: "--follow", meaning: "keep showing new lines until Ctrl-C" },
    { flags: "--job <id>", meaning: "only lines of this workspace or run; an id as jobs shows it" },
    { flags: "--since <time>", meaning: "lines since this long ago: 90s, 5m, 2h, 7d; default: 10m" },
    { flags: "--function <name>", meaning: `only this function: ${roles.join(", ")}`, choices: roles },
  ],
  examples: [
    { line: "logs --follow", shows: "what happens now, in all functions" },
    { line: "logs --job ws_7f3a --since 2h", shows: "one job's lines" },
    { line: "logs --function dispatcher --since 5m --json", shows: "the lines as they were written" },
  ],
  input,
  run: async (context, wanted) => {
    const pool = await context.pool();
    const sources = sourcesOf(pool, wanted.function);
    const unread = await whyUnread(context);
    if (unread !== undefined)
      throw new CliError("refused", unread, {
        remedy: `Query the log groups with Logs Insights, in the console of CloudWatch: ${sources.map(({ group }) => group).join(", ")}`,
      });
    const startMs = context.clock.now() - wanted.since;
    const { pattern, unknown } = await patternOf(context, wanted.job);
    const find = async (using: Context): Promise<readonly Source[]> =>
      sourcesOf(await using.pool(), wanted.function);
    if (wanted.follow) return follow(context, { pattern, find, startMs });
    const lines = await read(context, { pattern, sources, startMs });
    if (unknown && lines.length === 0) throw unknown;
    return {
      data: { pool: pool.name, lines: lines.map(toData) },
      text: (screen) =>
        lines.length === 0
          ? "No log lines in this time. --since looks further back."
          : formatLines(lines, screen, new Set()).join("\n"),
    };
  },
});

interface Source {
  readonly role: Role;
  readonly group: string;
}

function sourcesOf(pool: StackPool, wanted: Role | undefined): readonly Source[] {
  const sources = roles.flatMap((role) => {
    const group = pool.logGroups[role];
    return group === undefined || (wanted !== undefined && wanted !== role) ? [] : [{ role, group }];
  });
  if (sources.length > 0) return sources;
  throw new CliError("not_found", `Pool ${pool.name} has no log group of ${wanted ?? "any function"}.`);
}

interface JobPattern {
  readonly pattern: string | undefined;
  /** No run is known for the id. Lines about it may be left anyway: logs can be kept longer than runs. */
  readonly unknown?: CliError;
}

/** @throws CliError `ambiguous` */
async function patternOf(context: Context, job: string | undefined): Promise<JobPattern> {
  if (job === undefined) return { pattern: undefined };
  if (isRunId(job)) return { pattern: filterFor("runId", job.toUpperCase()) };
  try {
    const { runs } = await findRunsOf(context, job);
    const isRun = runs[0].runId.startsWith(job.toUpperCase());
    return {
      pattern: isRun ? filterFor("runId", runs[0].runId) : filterFor("workspaceId", runs[0].workspaceId),
    };
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== "not_found") throw error;
    return { pattern: filterFor("workspaceId", job), unknown: error };
  }
}

interface Reading {
  readonly pattern: string | undefined;
  readonly sources: readonly Source[];
  readonly startMs: number;
}

type KeyedLine = ReadableLine & { readonly id: string };

async function read(context: Context, { pattern, sources, startMs }: Reading): Promise<readonly KeyedLine[]> {
  const { logs: port } = await context.aws();
  const filter = pattern === undefined ? {} : { pattern };
  const perSource = await Promise.all(
    sources.map(async ({ role, group }) => {
      const records = await port.records({ group, startMs, signal: context.signal, ...filter });
      return records.flatMap((record) => {
        const readable = toReadableLine(record, role);
        return readable ? [{ ...readable, id: `${group} ${record.id}` }] : [];
      });
    }),
  );
  return perSource.flat().toSorted((a, b) => a.atMs - b.atMs);
}

interface Following extends Omit<Reading, "sources"> {
  readonly find: (context: Context) => Promise<readonly Source[]>;
}

/**
 * Polls for lines, each time from slightly in the past, and shows new ones only. Connects again after a failure, because a restart
 * changes the local stack's address. Runs until Ctrl-C.
 */
async function follow(context: Context, { startMs, pattern, find }: Following): Promise<never> {
  const { clock, signal, terminal, options } = context;
  let fromMs = startMs;
  let shown: ReadonlySet<string> = new Set();
  const workspaces = new Set<string>();
  const look = createRepeatedRead(context, "read the logs");
  let present = context;
  for (;;) {
    const nowMs = clock.now();
    const using = present;
    const reading = { pattern, startMs: fromMs };
    const found = await look(async () => read(using, { ...reading, sources: await find(using) }));
    const lines = "value" in found ? found.value : [];
    const fresh = lines.filter((one) => !shown.has(one.id));
    const texts = options.json
      ? fresh.map((line) => JSON.stringify(toData(line)))
      : formatLines(fresh, terminal, workspaces);
    for (const text of texts) terminal.out(text);
    if ("value" in found) {
      shown = new Set(lines.map((line) => line.id));
      fromMs = Math.max(startMs, nowMs - lateMs);
    } else {
      present = context.fresh();
    }
    await clock.sleep(followEveryMs, signal);
  }
}

const toData = ({ atMs, function: role, fields }: ReadableLine) => ({ atMs, function: role, line: fields });

/** @param known workspaces of earlier lines; those of these lines are added: on a screen, their ids are shown as short as by `jobs` */
function formatLines(lines: readonly ReadableLine[], screen: Screen, known: Set<string>): readonly string[] {
  if (isPiped(screen))
    return lines.map(({ atMs, function: role, workspaceId = "", what }) =>
      pipedLine([isoTime(atMs), role, workspaceId, what]),
    );
  for (const { workspaceId } of lines) if (workspaceId !== undefined) known.add(workspaceId);
  const short = shortIds([...known]);
  return lines.map((line) =>
    formatLine({ ...line, workspaceId: line.workspaceId && short(line.workspaceId) }, screen.colours),
  );
}

function formatLine(
  { atMs, function: role, workspaceId, what, tone, minor }: ReadableLine,
  colours: Colours,
): string {
  const time = new Date(atMs).toISOString().slice(11, 23);
  const where = workspaceId === undefined ? "" : `${colours.cyan(printable(workspaceId))}  `;
  const paint = minor ? colours.dim : { plain: String, good: colours.green, bad: colours.red }[tone];
  return `${colours.dim(time)}  ${role.padEnd(10)}  ${where}${paint(what)}`;
}
