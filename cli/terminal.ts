import pc from "picocolors";

export type Colours = ReturnType<typeof pc.createColors>;

/** What a renderer may know of where its text goes. */
export interface Screen {
  /** Characters per line; Infinity where the text goes into a pipe or a file. */
  readonly columns: number;
  /** All plain where colour is not wanted. */
  readonly colours: Colours;
}

export interface Terminal extends Screen {
  /** A line on standard output. */
  out(text: string): void;
  /** A line on standard error. */
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

const eraseLine = "\r\u001B[2K";

export function createTerminal({ stdout, stderr, env }: TerminalEdges): Terminal {
  const wanted = Number(env["COLUMNS"]);
  const columns = wanted > 0 ? wanted : (stdout.isTTY && stdout.columns) || Infinity;
  let shown = "";
  const settled = (): void => {
    if (shown !== "" && stderr.isTTY) stderr.write(eraseLine);
    shown = "";
  };
  return {
    columns,
    colours: pc.createColors(hasColour(stdout, env)),
    out: (text) => {
      settled();
      stdout.write(`${text}\n`);
    },
    err: (text) => {
      settled();
      stderr.write(`${text}\n`);
    },
    progress: (text) => {
      if (text === shown) return;
      const cut = stderr.isTTY ? text.slice(0, (stderr.columns ?? 80) - 1) : text;
      stderr.write(stderr.isTTY ? `${eraseLine}${cut}` : `${text}\n`);
      shown = text;
    },
    settled,
  };
}

/** Colour goes to terminals only; NO_COLOR takes it away, FORCE_COLOR asks for it elsewhere (https://no-color.org). */
function hasColour(stdout: Stream, env: TerminalEdges["env"]): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"] && env["FORCE_COLOR"] !== "0") return true;
  return stdout.isTTY === true && env["TERM"] !== "dumb";
}
