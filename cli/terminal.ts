import pc from "picocolors";
import { keepHead } from "../lib/core/text.ts";
import { printable, printableLines } from "../lib/core/printable.ts";

export type Colours = ReturnType<typeof pc.createColors>;

/** What a renderer may know of where its text goes. */
export interface Screen {
  /** Characters per line; Infinity where the text goes into a pipe or a file. */
  readonly columns: number;
  /** All plain where colour is not wanted. */
  readonly colours: Colours;
}

export interface Terminal extends Screen {
  /**
   * A line on standard output. Of control characters only the ends of lines and our own colours get through, whatever the
   * text was made of; what comes from outside goes through `printable` first, so that it has neither.
   */
  out(text: string): void;
  /** The same on standard error. */
  err(text: string): void;
  /** The present state of long work, on standard error: in place on a terminal, else a line whenever it changed. */
  progress(text: string): void;
  /** Takes the progress line away. */
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

/** The codes of the colours that renderers use: bold, dim, red, green, yellow, cyan, and their ends. */
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
  // Every other part is one of our colours.
  return text
    .split(ourColours)
    .map((part, at) => (at % 2 === 1 ? part : printableLines(part)))
    .join("");
}

/** Colour goes to terminals only; NO_COLOR takes it away, FORCE_COLOR asks for it elsewhere (https://no-color.org). */
function hasColour(stdout: Stream, env: TerminalEdges["env"]): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"] && env["FORCE_COLOR"] !== "0") return true;
  return stdout.isTTY === true && env["TERM"] !== "dumb";
}
