import pc from "picocolors";
import { keepHead, printable, printableLines } from "../lib/core/text.ts";
import { fitLines } from "./wrap.ts";

export type Colours = ReturnType<typeof pc.createColors>;

export const noColours: Colours = pc.createColors(false);

/** What a renderer knows about its output. */
export interface Screen {
  /** Characters per line; Infinity for a pipe or a file. */
  readonly columns: number;
  /** Functions that colour text, or return it unchanged where colour is off. */
  readonly colours: Colours;
}

/** Standard output goes to a program or a file: one line per fact, in a form that does not depend on a width. */
export const isPiped = ({ columns }: Screen): boolean => columns === Infinity;

export interface Terminal extends Screen {
  /**
   * Prints a line on standard output. Removes control characters except line ends and the renderers' colours.
   * Text from outside must go through `printable` first, so that it contains neither.
   */
  out(text: string): void;
  /** The same on standard error. */
  err(text: string): void;
  /**
   * Shows the state of long work on standard error: in place on a terminal, otherwise as a line whenever `fact` changes, which is
   * the text without its times and counts.
   */
  progress(text: string, fact?: string): void;
  /** Shows a text on standard output, a terminal, in place of the one shown by the last call. */
  redraw(text: string): void;
  /** Removes the progress line; what was drawn stays. */
  settled(): void;
}

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface TerminalEdges {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const escape = "\u001B";
const eraseLine = `\r${escape}[2K`;
const eraseToEndOfLine = `${escape}[K`;
const eraseBelow = `${escape}[J`;
const hideCursor = `${escape}[?25l`;
const showCursor = `${escape}[?25h`;
const up = (lines: number): string => (lines > 0 ? `\r${escape}[${lines}A` : "\r");

/** The colours that renderers use: bold, dim, red, green, yellow, cyan, and their ends. */
const ourColours = new RegExp(`(${escape}\\[(?:1|2|22|31|32|33|36|39)m)`);

export function createTerminal({ stdout, stderr, env }: TerminalEdges): Terminal {
  const wanted = Number(env["COLUMNS"]);
  const isColoured = hasColour(stdout, env);
  const columns = (): number => (wanted > 0 ? wanted : (stdout.isTTY && stdout.columns) || Infinity);
  let shown = "";
  /** The number of lines that `redraw` has drawn. */
  let drawn = 0;
  const settled = (): void => {
    if (shown !== "" && stderr.isTTY) stderr.write(eraseLine);
    if (drawn > 0) stdout.write(showCursor);
    shown = "";
    drawn = 0;
  };
  return {
    get columns() {
      return columns();
    },
    colours: pc.createColors(isColoured),
    out: (text) => {
      settled();
      stdout.write(`${fitLines(guarded(text, isColoured), columns())}\n`);
    },
    err: (text) => {
      settled();
      stderr.write(`${fitLines(guarded(text, isColoured), columns())}\n`);
    },
    redraw: (text) => {
      const lines = fitLines(guarded(text, isColoured), columns()).split("\n");
      const kept = lines.slice(0, Math.max(1, (stdout.rows ?? Infinity) - 1));
      const frame = kept.map((line) => `${line}${eraseToEndOfLine}\n`).join("");
      // One write per frame, and no line is erased before it is written: nothing flickers.
      stdout.write(`${drawn > 0 ? up(drawn) : hideCursor}${frame}${eraseBelow}`);
      drawn = kept.length;
    },
    progress: (given, fact = given) => {
      const text = printable(given);
      // What is drawn shows the failure itself.
      if (drawn > 0 || (stderr.isTTY ? text : printable(fact)) === shown) return;
      const cut = keepHead(text, (stderr.columns ?? 80) - 1);
      stderr.write(stderr.isTTY ? `${eraseLine}${cut}` : `${text}\n`);
      shown = stderr.isTTY ? text : printable(fact);
    },
    settled,
  };
}

/** Keeps line ends, and the tabs of piped lines: neither is left in a text from outside. */
const safeText = (text: string): string => text.split("\t").map(printableLines).join("\t");

function guarded(text: string, isColoured: boolean): string {
  if (!isColoured) return safeText(text);
  // Every other part is one of the colours.
  return text
    .split(ourColours)
    .map((part, at) => (at % 2 === 1 ? part : safeText(part)))
    .join("");
}

/**
 * Colour is for terminals only. NO_COLOR turns it off, FORCE_COLOR turns it on elsewhere
 * (https://no-color.org).
 */
function hasColour(stdout: Stream, env: TerminalEdges["env"]): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"] && env["FORCE_COLOR"] !== "0") return true;
  return stdout.isTTY === true && env["TERM"] !== "dumb";
}
