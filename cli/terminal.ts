import pc from "picocolors";
import { keepHead, printable, printableLines } from "../lib/core/text.ts";

export type Colours = ReturnType<typeof pc.createColors>;

/** What a renderer knows about its output. */
export interface Screen {
  /** Characters per line; Infinity for a pipe or a file. */
  readonly columns: number;
  /** Functions that colour text, or return it unchanged where colour is off. */
  readonly colours: Colours;
}

export interface Terminal extends Screen {
  /**
   * Prints a line on standard output. Removes control characters except line ends and the renderers' colours.
   * Text from outside must go through `printable` first, so that it contains neither.
   */
  out(text: string): void;
  /** The same on standard error. */
  err(text: string): void;
  /**
   * Shows the state of long work on standard error: in place on a terminal, otherwise as a line per change.
   */
  progress(text: string): void;
  /** Removes the progress line. */
  settled(): void;
}

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface TerminalEdges {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const escape = "\u001B";
const eraseLine = `\r${escape}[2K`;

/** The colours that renderers use: bold, dim, red, green, yellow, cyan, and their ends. */
const ourColours = new RegExp(`(${escape}\\[(?:1|2|22|31|32|33|36|39)m)`);

export function createTerminal({ stdout, stderr, env }: TerminalEdges): Terminal {
  const wanted = Number(env["COLUMNS"]);
  const isColoured = hasColour(stdout, env);
  const columns = wanted > 0 ? wanted : (stdout.isTTY && stdout.columns) || Infinity;
  let shown = "";
  const settled = (): void => {
    if (shown !== "" && stderr.isTTY) stderr.write(eraseLine);
    shown = "";
  };
  return {
    columns,
    colours: pc.createColors(isColoured),
    out: (text) => {
      settled();
      stdout.write(`${guarded(text, isColoured)}\n`);
    },
    err: (text) => {
      settled();
      stderr.write(`${guarded(text, isColoured)}\n`);
    },
    progress: (given) => {
      const text = printable(given);
      if (text === shown) return;
      const cut = keepHead(text, (stderr.columns ?? 80) - 1);
      stderr.write(stderr.isTTY ? `${eraseLine}${cut}` : `${text}\n`);
      shown = text;
    },
    settled,
  };
}

function guarded(text: string, isColoured: boolean): string {
  if (!isColoured) return printableLines(text);
  // Every other part is one of the colours.
  return text
    .split(ourColours)
    .map((part, at) => (at % 2 === 1 ? part : printableLines(part)))
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
