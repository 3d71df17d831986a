import { Command as Commander, CommanderError } from "commander";
import * as z from "zod";
import { stackNameSchema } from "../infra/settings-schema.ts";
import { helpOf, type Command, type Example } from "./command.ts";
import type { GlobalOptions } from "./context.ts";
import { globalOptions } from "./global-options.ts";
import { CliError, exits } from "./errors.ts";
import { asSentence } from "../lib/core/text.ts";
import { wrap, wrapCommand } from "./wrap.ts";

/** A parsed command line. */
export interface Invocation {
  readonly command: Command;
  readonly options: GlobalOptions;
  /** The command's own arguments and options, not validated. */
  readonly given: unknown;
}

const globalSchema = z.object({
  pool: z.string().optional(),
  region: z.string().optional(),
  profile: z.string().optional(),
  stack: stackNameSchema.optional(),
  json: z.boolean().default(false),
  local: z.boolean().default(false),
  stateDir: z.string().optional(),
});

interface Shown {
  readonly columns: number;
  /** How the command line was started: `npm run runner --`. */
  readonly name: string;
}

export interface Help {
  readonly help: string;
}

/** `--version` was given. */
export interface VersionWanted {
  readonly version: true;
}

/**
 * Parses a command line (without node and script).
 * @throws CliError `usage`
 */
export function parseCommandLine(
  commands: readonly Command[],
  argv: readonly string[],
  shown: Shown,
): Invocation | Help | VersionWanted {
  const { name } = shown;
  const columns = Number.isFinite(shown.columns) ? shown.columns : 100;
  let found: Invocation | undefined;
  let printed = "";
  const program = createProgram(commands, { columns, name }, (command, given) => {
    found = { command, given, options: definedOnly(parseGlobalOptions(program.opts(), name)) };
  });
  const write = (text: string): void => void (printed += text);
  let at = "";
  const onExit = (path: string): void => void (at = path);
  configure(program, { write, onExit, columns });
  try {
    program.parse([...withoutHelpCommand(commands, argv)], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.version") return { version: true };
    // The program without a command prints its help. A group without one, such as `secrets`, is an error.
    const isBare = error.code === "commander.help" && program.args.length === 0;
    if (error.exitCode === 0 || isBare) return { help: printed.trimEnd() };
    if (error.code === "commander.help") throw noCommand(commands, program.args, name);
    throw new CliError("usage", sentenceOf(error.message), { remedy: helpOf(at, name) });
  }
  if (found) return found;
  throw noCommand(commands, program.args, name);
}

/** `help secrets set` → `secrets set --help`. */
function withoutHelpCommand(commands: readonly Command[], argv: readonly string[]): readonly string[] {
  const [first, ...words] = argv;
  if (first !== "help") return argv;
  const known = [words.slice(0, 2), words.slice(0, 1)].find((some) =>
    commands.some(({ name }) => `${name} `.startsWith(`${some.join(" ")} `)),
  );
  // An unknown command gets the parser's suggestion.
  return known || words.length === 0 ? [...(known ?? []), "--help"] : words.slice(0, 1);
}

function parseGlobalOptions(given: unknown, name: string) {
  const { data, error } = globalSchema.safeParse(given);
  if (data?.stateDir !== undefined && !data.local) {
    throw new CliError("usage", "--state-dir is the folder of a local stack. Give --local too.", {
      remedy: helpOf("", name),
    });
  }
  const awsOption = data?.local ? (["region", "profile"] as const).find((one) => data[one]) : undefined;
  if (awsOption) {
    const message = `--${awsOption} is about a stack in AWS. Leave out --${awsOption} or --local.`;
    throw new CliError("usage", message, { remedy: helpOf("", name) });
  }
  if (data) return data;
  const [{ path, message } = { path: [], message: "" }] = error.issues;
  throw new CliError("usage", `--${path.join(".")}: ${message}`, { remedy: helpOf("", name) });
}

/** A group is given without a command of it. */
function noCommand(commands: readonly Command[], args: readonly string[], programName: string): CliError {
  const [group = ""] = args;
  const within = commands.filter(({ name }) => name.startsWith(`${group} `)).map(({ name }) => name);
  return new CliError("usage", `${group} is not a command by itself. Give one of: ${within.join(", ")}.`, {
    remedy: helpOf(group, programName),
  });
}

type OnCommand = (command: Command, given: unknown) => void;

function createProgram(commands: readonly Command[], shown: Shown, onCommand: OnCommand): Commander {
  const program = new Commander(shown.name)
    .description("Operates studio-runner: the deployed stack, or with --local the one that npm start runs.")
    .version("", "--version", "print the versions of studio-runner and Node")
    .helpCommand("help [COMMAND]", "Shows the help of a command")
    .addHelpText("after", `\n${exitTable(shown)}`);
  for (const { flags, meaning } of globalOptions) program.option(flags, meaning);
  for (const command of commands) addCommand(program, command, { shown, onCommand });
  return program;
}

interface Adding {
  readonly shown: Shown;
  readonly onCommand: OnCommand;
}

function addCommand(program: Commander, command: Command, { shown, onCommand }: Adding): void {
  const { arguments: rows = [], options = [], examples, summary, details, noMore } = command;
  const [first = "", second] = command.name.split(" ");
  const parent = second === undefined ? program : groupOf(program, first, `${second}: ${summary}`);
  const sub = parent
    .command(second ?? first)
    .summary(summary)
    .description([asSentence(summary), ...(details === undefined ? [] : [details])].join("\n"))
    .addHelpText("after", `\n${exampleList(examples, shown)}`);
  for (const { name, meaning, optional } of rows) {
    const label = name.toUpperCase();
    sub.argument(optional ? `[${label}]` : `<${label}>`, meaning);
  }
  for (const { flags, meaning } of options) sub.option(flags, meaning);
  if (noMore !== undefined) sub.allowExcessArguments();
  sub.action(() => {
    if (noMore !== undefined && sub.args.length > rows.length) throw new CliError("usage", noMore);
    const values = rows.map(({ name }, at) => [name, sub.args[at]]);
    onCommand(command, { ...Object.fromEntries(values), ...sub.opts() });
  });
}

/** The group `secrets` of `secrets set`. */
function groupOf(program: Commander, name: string, summary: string): Commander {
  const existing = program.commands.find((one) => one.name() === name);
  return existing ?? program.command(name).summary(summary).description(summary).helpCommand(false);
}

interface Output {
  readonly write: (text: string) => void;
  readonly columns: number;
  /** Called with the words of the command that ended the parsing. */
  readonly onExit: (path: string) => void;
}

/** Keeps commander from printing and from ending the process. */
function configure(command: Commander, output: Output, path = ""): void {
  command
    .exitOverride((error) => {
      output.onExit(path);
      throw error;
    })
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
    .configureOutput({
      writeOut: output.write,
      writeErr: output.write,
      outputError: () => undefined,
      getOutHelpWidth: () => output.columns,
      getErrHelpWidth: () => output.columns,
    });
  for (const sub of command.commands) configure(sub, output, `${path} ${sub.name()}`.trim());
}

function exitTable({ columns }: Shown): string {
  const lines = Object.values(exits).map(
    ({ code, meaning }) => `  ${String(code).padStart(3)}  ${wrap(meaning, { columns, indent: 7 })}`,
  );
  return ["Exit codes:", ...lines].join("\n");
}

function exampleList(examples: readonly Example[], { columns, name }: Shown): string {
  const lines = examples.map(
    ({ line, shows }) =>
      `  ${wrapCommand(`${name} ${line}`, { columns, indent: 6 })}\n      ${wrap(shows, { columns, indent: 6 })}`,
  );
  return ["Examples:", ...lines].join("\n");
}

/** Makes sentences from "error: unknown option '--x'\n(Did you mean --y?)". */
function sentenceOf(message: string): string {
  const [first = "", ...rest] = withoutValues(message)
    .replace(/^error: /, "")
    .split("\n");
  const begun = first.charAt(0).toUpperCase() + first.slice(1);
  return [/[.?!]$/.test(begun) ? begun : `${begun}.`, ...rest].join(" ");
}

/** Keeps only the name of an unknown option, so that the value of `--key=…` is not repeated in a log. */
const withoutValues = (message: string): string => message.replace(/'(--?[\w-]+)=[^']*'/, "'$1'");

function definedOnly(options: z.output<typeof globalSchema>): GlobalOptions {
  const { json, local, ...rest } = options;
  return {
    json,
    local,
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
  };
}
