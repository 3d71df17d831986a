import * as z from "zod";
import { isMetricLine, parseLogLine, type LogLine } from "./parse-log-line.ts";
import { quietSentenceOf, sentenceOf, toneOf, type Tone } from "./sentences.ts";
import { printable } from "../lib/core/text.ts";
import type { StackContext } from "./context.ts";
import type { LogRecord } from "./ports.ts";
import type { Role } from "./stack.ts";
import { reasonInWords } from "./cycle-words.ts";
import { parseJson } from "../lib/core/json.ts";

/** One line of a function's log: readable and safe for a terminal, and in its original form. */
export interface ReadableLine {
  readonly atMs: number;
  readonly function: Role;
  /** The event's name; `undefined` if the line is not the runner's (from Lambda, or a crash). */
  readonly event: string | undefined;
  readonly workspaceId: string | undefined;
  readonly runId: string | undefined;
  readonly attempt: number | undefined;
  readonly round: number | undefined;
  /** The number of tools that the model called. */
  readonly calls: number | undefined;
  /** The name of a tool that the model called. */
  readonly tool: string | undefined;
  /** The names of the tools that the model called in a round that has ended. */
  readonly tools?: readonly string[] | undefined;
  readonly what: string;
  readonly tone: Tone;
  /** The line is not a step of a job: left out of `explain`, dim in `logs`. */
  readonly minor: boolean;
  /** The line's original fields. */
  readonly fields: unknown;
}

const ownSchema = z.looseObject({
  attempt: z.number().optional(),
  tool: z.string().max(200).optional().catch(undefined),
  tools: z.array(z.string().max(200)).max(100).optional().catch(undefined),
  timestamp: z.string().optional(),
});

/** Lambda's lines in its JSON log format. */
const platformSchema = z.object({
  type: z.string().startsWith("platform."),
  record: z.looseObject({ status: z.string().optional(), errorType: z.string().optional() }),
});

/** A line that is not about a run. */
const nobody = {
  event: undefined,
  workspaceId: undefined,
  runId: undefined,
  attempt: undefined,
  round: undefined,
  calls: undefined,
  tool: undefined,
};

/** `undefined` for metrics, and for Lambda's lines about a successful invocation. */
export function toReadableLine({ atMs, text }: LogRecord, role: Role): ReadableLine | undefined {
  if (isMetricLine(text)) return undefined;
  const fields = parseJson(text);
  const platform = platformSchema.safeParse(fields);
  if (platform.success) return toReadablePlatformLine(platform.data, { atMs, role, fields });
  const line = parseLogLine(text);
  if (!line) {
    return {
      atMs,
      function: role,
      ...nobody,
      what: printable(text),
      tone: "plain",
      minor: false,
      fields: { text },
    };
  }
  const own = ownSchema.safeParse(fields).data;
  const sentence = sentenceOf(line);
  return {
    atMs: timeOf(own?.timestamp) ?? atMs,
    function: role,
    event: line.message,
    workspaceId: line.workspaceId,
    runId: line.runId,
    attempt: own?.attempt,
    round: line.round,
    calls: line.calls,
    tool: own?.tool,
    tools: own?.tools,
    what: sentence ?? quietWords(line),
    tone: toneOf(line),
    minor: sentence === undefined,
    fields,
  };
}

/** A cycle's reason in the words of `status`. */
function quietWords(line: LogLine): string {
  if (line.message !== "cycle_ended" || line.reason === undefined) return quietSentenceOf(line);
  return quietSentenceOf({ ...line, reason: reasonInWords(line.reason) });
}

interface PlatformLine {
  readonly atMs: number;
  readonly role: Role;
  readonly fields: unknown;
}

function toReadablePlatformLine(
  { type, record }: z.output<typeof platformSchema>,
  { atMs, role, fields }: PlatformLine,
): ReadableLine | undefined {
  const { status = "success", errorType } = record;
  if (type !== "platform.report" || status === "success") return undefined;
  const why = errorType === undefined ? "" : ` (${errorType})`;
  const what = printable(`Lambda ended the invocation: ${status}${why}`);
  return { atMs, function: role, ...nobody, event: type, what, tone: "bad", minor: false, fields };
}

/** The line's own time, which orders lines better than CloudWatch's time of ingestion. */
function timeOf(timestamp: string | undefined): number | undefined {
  const atMs = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** A CloudWatch filter for lines with this value. */
export function filterFor(field: "workspaceId" | "runId", value: string): string {
  return `{ $.${field} = ${JSON.stringify(value)} }`;
}

/** Why the stack's logs cannot be read here; `undefined`: they can. The local stack has no classes of logs. */
export async function whyUnread(context: StackContext): Promise<string | undefined> {
  const { settings } = await context.stack();
  if (context.options.local || settings.logClass === "standard") return undefined;
  return `The setting logClass is "${settings.logClass}": only CloudWatch Logs Insights reads these logs.`;
}
