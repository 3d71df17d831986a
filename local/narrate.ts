import { isMetricLine, parseLogLine } from "../cli/parse-log-line.ts";
import { sentenceOf, toneOf, type Tone } from "../cli/sentences.ts";
import { printable } from "../lib/core/text.ts";
import type { CloudEvent } from "./cloud/events.ts";

export interface TerminalLine {
  readonly who: string;
  readonly workspaceId: string | undefined;
  readonly what: string;
  readonly tone: Tone;
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
  const sentence = sentenceOf(line);
  if (sentence === undefined) return undefined;
  return { who, workspaceId: line.workspaceId, what: sentence, tone: toneOf(line) };
}

function terminalLine(who: string, what: string, tone: Tone): TerminalLine {
  return { who, workspaceId: undefined, what: printable(what), tone };
}

const labelCharacters = 26;

/** A workspace's title, shortened, or its id if no title is known. */
export function workspaceLabel(workspaceId: string, title: string | null | undefined): string {
  const characters = Array.from(printable((title ?? "").replaceAll(/[\s\p{Cc}]+/gu, " ").trim()));
  if (characters.length === 0) return printable(workspaceId);
  const isLong = characters.length > labelCharacters;
  return isLong ? `${characters.slice(0, labelCharacters).join("")}…` : characters.join("");
}
