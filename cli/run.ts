import type { Command } from "./command.ts";
import type { Context, GlobalOptions } from "./context.ts";
import { CliError, exits, toCliError, type ExitName } from "./errors.ts";
import { parseCommandLine } from "./program.ts";
import type { Terminal } from "./terminal.ts";

export interface CliPorts {
  readonly commands: readonly Command[];
  readonly terminal: Terminal;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** How the command line was started: `npm run runner --`. */
  readonly commandName: string;
  versions(): Promise<Versions>;
  createContext(options: GlobalOptions): Context;
}

/** What `--version` prints. */
export interface Versions {
  readonly version: string;
  readonly node: string;
}

const versionText = ({ version, node }: Versions): string => `studio-runner ${version}\nnode ${node}`;

/** Runs one command line and returns its exit code. All output goes through the terminal. */
export async function runCli(argv: readonly string[], ports: CliPorts): Promise<number> {
  const { terminal } = ports;
  try {
    const { columns } = terminal;
    const parsed = parseCommandLine(ports.commands, argv, { columns, name: ports.commandName });
    if ("help" in parsed) {
      terminal.out(parsed.help);
      return exits.ok.code;
    }
    if ("version" in parsed) {
      const versions = await ports.versions();
      terminal.out(argv.includes("--json") ? JSON.stringify(versions) : versionText(versions));
      return exits.ok.code;
    }
    const { command, options, given } = parsed;
    const { data, text, exit = "ok" } = await command.run(ports.createContext(options), given);
    const shown = options.json ? JSON.stringify(data, undefined, 2) : text?.(terminal);
    if (shown && text !== undefined) terminal.out(shown);
    return exits[exit].code;
  } catch (thrown) {
    const stopped = ports.signal.aborted && !(thrown instanceof CliError);
    const error = stopped ? new CliError("interrupted", "Stopped.") : toCliError(thrown);
    showError(terminal, error, argv.includes("--json"));
    return codeOf(error.exit);
  } finally {
    terminal.settled();
  }
}

const codeOf = (exit: ExitName): number => exits[exit].code;

function showError(terminal: Terminal, error: CliError, asJson: boolean): void {
  const { code, message, remedy } = error;
  if (asJson) {
    terminal.err(JSON.stringify({ error: { code, message, remedy } }));
    return;
  }
  const { red } = terminal.colours;
  terminal.err(`${red("Error:")} ${message}${remedy === undefined ? "" : `\n${remedy}`}`);
  // Only an unexpected error shows its stack. Every other error is a sentence for the user.
  if (code === "internal" && error.cause instanceof Error) terminal.err(error.cause.stack ?? "");
}
