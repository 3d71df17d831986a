import { stripVTControlCharacters } from "node:util";
import widthOnScreen from "string-width";

export interface Wrapping {
  /** The screen's width; Infinity: no wrapping. */
  readonly columns: number;
  /** Indentation of every line except the first, which the caller has already started. */
  readonly indent: number;
}

/** Wraps prose at spaces. Keeps long words whole, and keeps the text's own line breaks. */
export function wrap(text: string, { columns, indent }: Wrapping): string {
  const width = Math.max(20, columns - indent);
  const lines = text.split("\n").flatMap((line) => wrapLine(line, width));
  return lines.join(`\n${" ".repeat(indent)}`);
}

/** `width`: of the first line; `next`: of the others. Widths are those on a screen: colours take no room. */
function wrapLine(line: string, width: number, next = width): readonly string[] {
  const lines: string[] = [];
  let present = "";
  for (const word of line.split(" ")) {
    const longer = present === "" ? word : `${present} ${word}`;
    if (widthOnScreen(longer) > (lines.length === 0 ? width : next) && present.trim() !== "") {
      lines.push(present.trimEnd());
      present = word;
    } else {
      present = longer;
    }
  }
  return [...lines, present];
}

const noBreak = "\u00A0";

/** Wraps a command for the shell, which reads it as one line: each line but the last ends with a backslash. */
export function wrapCommand(line: string, { columns, indent }: Wrapping): string {
  const whole = line.replaceAll(/"[^"]*"/g, (quoted) => quoted.replaceAll(" ", noBreak));
  const lines = wrap(whole, { columns: columns - 2, indent }).split("\n");
  return lines.join(" \\\n").replaceAll(noBreak, " ");
}

/**
 * Wraps the lines that are wider than the screen, at spaces and without breaking a word or a command, which can still be copied.
 * The rest of such a line begins under the text after its last gap of two spaces, where tables and lists have their last column.
 */
export function fitLines(text: string, columns: number): string {
  if (columns === Infinity) return text;
  return text
    .split("\n")
    .map((line) => (widthOnScreen(line) <= columns ? line : fitLine(line, columns)))
    .join("\n");
}

function fitLine(line: string, columns: number): string {
  const lead = /^ */.exec(line)?.[0] ?? "";
  const plain = stripVTControlCharacters(line);
  const gap = /^.*\S {2,}(?=\S)/.exec(plain.slice(0, Math.floor(columns / 2)))?.[0] ?? lead;
  const indent = " ".repeat(widthOnScreen(gap));
  const whole = line.slice(lead.length).replaceAll(commands, (command) => command.replaceAll(" ", noBreak));
  const lines = wrapLine(whole, columns - lead.length, columns - indent.length);
  return `${lead}${lines.join(`\n${indent}`)}`.replaceAll(noBreak, " ");
}

/** Commands for the shell within a sentence, which stay on one line to be copied. */
const commands = /(?:npm run runner --|(?:npx )?studio-runner|aws [a-z][\w-]+)(?: [\w.:@=+/'<-]*[\w/'])*/g;
