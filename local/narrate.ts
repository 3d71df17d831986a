import { isMetricLine, parseLogLine, type LogLine } from "../cli/parse-log-line.ts";
import { sentenceOf, toneOf, type Tone } from "../cli/sentences.ts";
import { printable } from "../lib/core/text.ts";
import type { CloudEvent } from "./cloud/events.ts";

export interface TerminalLine {
  readonly who: string;
  readonly workspaceId: string | undefined;
  /** Absent: not worth showing. */
  readonly what: string | undefined;
  readonly tone: Tone;
  /** The last line of its run. */
  readonly isEnd?: true;
}

/** "pool-local-processor" is shown as "processor", because there is only one pool here. */
const roleOf = (functionLabel: string): string => functionLabel.split("-").at(-1) ?? functionLabel;

/** A message about an event for the person at the terminal; `undefined`: none. */
export function describeEvent(event: CloudEvent): TerminalLine | undefined {
  if (event.kind === "log") return describeLogLine(roleOf(event.function), event.line);
  // A function that throws a RunnerError has already logged it.
  const isLogged = event.kind === "error" && event.errorType === "RunnerError";
  if (!isLogged && (event.kind === "error" || endedBadly(event))) {
    return terminalLine(roleOf(event.function), `${event.errorType}: ${event.errorMessage}`, "bad");
  }
  return undefined;
}

function endedBadly(
  event: CloudEvent,
): event is CloudEvent & { readonly kind: "timeout" | "killed" | "crash" } {
  return event.kind === "timeout" || event.kind === "killed" || event.kind === "crash";
}

function describeLogLine(who: string, text: string): TerminalLine | undefined {
  if (isMetricLine(text)) return undefined;
  const line = parseLogLine(text);
  if (!line) return terminalLine(who, text, "plain");
  return { who, workspaceId: line.workspaceId, what: sentenceOf(line), tone: toneOf(line), ...endOf(line) };
}

const endOf = ({ message }: LogLine): Pick<TerminalLine, "isEnd"> =>
  message === "run_ended" ? { isEnd: true } : {};

function terminalLine(who: string, what: string, tone: Tone): TerminalLine {
  return { who, workspaceId: undefined, what: printable(what), tone };
}

interface Repeated {
  readonly sinceMs: number;
  readonly times: number;
  readonly toldMs: number;
}

/** How often a failure that goes on is mentioned. */
const reminderMs = 60_000;

/**
 * Tells a failure once and then counts it: the same function's, for the same workspace, however its numbers
 * differ. Mentions it once a minute while it goes on, and when it is over.
 */
export function createRepeats(timeOf: (atMs: number) => string) {
  const bySource = new Map<string, Map<string, Repeated>>();
  return (line: TerminalLine, atMs: number): readonly TerminalLine[] => {
    const source = `${line.who} ${line.workspaceId ?? ""}`;
    const known = bySource.get(source) ?? new Map<string, Repeated>();
    if (line.tone !== "bad" || line.isEnd) {
      bySource.delete(source);
      const longest = [...known.values()].reduce((a, b) => (b.times > a.times ? b : a), none);
      const isOver = line.tone !== "bad" && longest.times > 1;
      const over = `works again, after ${longest.times} failures since ${timeOf(longest.sinceMs)}`;
      return [...(isOver ? [{ ...line, what: over, tone: "good" } as const] : []), line];
    }
    bySource.set(source, known);
    const kind = (line.what ?? "").replaceAll(/\d+/g, "#");
    const { times, sinceMs, toldMs } = known.get(kind) ?? { times: 0, sinceMs: atMs, toldMs: atMs };
    const isTold = times === 0 || atMs - toldMs >= reminderMs;
    known.set(kind, { times: times + 1, sinceMs, toldMs: isTold ? atMs : toldMs });
    if (!isTold) return [];
    const again = times === 0 ? "" : ` (again, ${times + 1} times since ${timeOf(sinceMs)})`;
    return [{ ...line, what: `${line.what ?? ""}${again}` }];
  };
}

const none: Repeated = { sinceMs: 0, times: 0, toldMs: 0 };

const labelCharacters = 26;

/** A workspace's name, shortened; if none is known, the start of its id. */
export function workspaceLabel(
  workspaceId: string,
  name: string | undefined,
  most = labelCharacters,
): string {
  const text = printable((name ?? "").replaceAll(/[\s\p{Cc}]+/gu, " ").trim());
  if (text === "") return `workspace ${shortened(printable(workspaceId), 8)}`;
  return shortened(text, most);
}

function shortened(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most).join("")}…` : text;
}
