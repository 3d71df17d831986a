import { Command as Commander, CommanderError } from "commander";
import * as z from "zod";
import { stackNameSchema } from "../infra/settings-schema.ts";
import type { Command, Example, OptionRow } from "./command.ts";
import type { GlobalOptions } from "./context.ts";
import { asSentence, CliError, exits } from "./errors.ts";

/** A parsed command line. */
export interface Invocation {
  readonly command: Command;
  readonly options: GlobalOptions;
  /** The command's own arguments and options, not validated. */
  readonly given: unknown;
}

export const programName = "npm run runner --";

/** Accepted by every command, before or after its name. */
export const globalOptions: readonly OptionRow[] = [
  { flags: "--pool <name>", meaning: "the pool; required if the stack has several" },
  { flags: "--region <region>", meaning: "the stack's AWS region; default: the shell's" },
  { flags: "--profile <name>", meaning: "the AWS profile to sign in with; default: the shell's" },
  { flags: "--stack <name>", meaning: "the stack; default: cdk.json's stackName" },
  { flags: "--json", meaning: "print only one JSON document on standard output" },
  { flags: "--local", meaning: "use the stack that npm start runs on this machine, instead of AWS" },
  { flags: "--state-dir <folder>", meaning: "the local stack's folder; default: .local in the project" },
];

const globalSchema = z.object({
  pool: z.string().optional(),
  region: z.string().optional(),
  profile: z.string().optional(),
  stack: stackNameSchema.optional(),
  json: z.boolean().default(false),
  local: z.boolean().default(false),
  stateDir: z.string().optional(),
});

export interface Help {
  readonly help: string;
}

/**
 * Parses a command line (without node and script).
 * @throws CliError `usage`
 */
export function parseCommandLine(
  commands: readonly Command[],
  argv: readonly string[],
  columns: number,
): Invocation | Help {
  let found: Invocation | undefined;
  let printed = "";
  const program = createProgram(commands, (command, given) => {
    found = { command, given, options: definedOnly(parseGlobalOptions(program.opts())) };
  });
  const write = (text: string): void => void (printed += text);
  let at = programName;
  const onExit = (path: string): void => void (at = path);
  configure(program, { write, onExit, columns: Number.isFinite(columns) ? columns : 100 });
  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // --help succeeds. A missing command prints the same help, but is an error.
    if (error.exitCode === 0) return { help: printed.trimEnd() };
    if (error.code === "commander.help") throw noCommand(commands, argv);
    throw new CliError("usage", sentenceOf(error.message), { remedy: `See ${at} --help` });
  }
  if (found) return found;
  throw noCommand(commands, argv);
}

function parseGlobalOptions(given: unknown) {
  const { data, error } = globalSchema.safeParse(given);
  if (data) return data;
  const [{ path, message } = { path: [], message: "" }] = error.issues;
  throw new CliError("usage", `--${path.join(".")}: ${message}`, { remedy: `See ${programName} --help` });
}

function noCommand(commands: readonly Command[], argv: readonly string[]): CliError {
  const within = commands.filter(({ name }) => name.startsWith(`${argv[0] ?? ""} `));
  const names = (within.length > 0 ? within : commands).map(({ name }) => name).join(", ");
  return new CliError("usage", `No command is given. Commands: ${names}.`, {
    remedy: `See ${programName} --help`,
  });
}

type OnCommand = (command: Command, given: unknown) => void;

function createProgram(commands: readonly Command[], onCommand: OnCommand): Commander {
  const program = new Commander(programName)
    .description("Operates studio-runner: the deployed stack, or with --local the one that npm start runs.")
    .helpCommand(false)
    .addHelpText("after", `\n${exitTable()}`);
  for (const { flags, meaning } of globalOptions) program.option(flags, meaning);
  for (const command of commands) addCommand(program, command, onCommand);
  return program;
}

function addCommand(program: Commander, command: Command, onCommand: OnCommand): void {
  const { arguments: rows = [], options = [], examples, summary, details, noMore } = command;
  const [first = "", second] = command.name.split(" ");
  const parent = second === undefined ? program : groupOf(program, first, `${second}: ${summary}`);
  const sub = parent
    .command(second ?? first)
    .summary(summary)
    .description([asSentence(summary), ...(details === undefined ? [] : [details])].join("\n"))
    .addHelpText("after", `\n${exampleList(examples)}`);
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
  return existing ?? program.command(name).summary(summary).helpCommand(false);
}

interface Output {
  readonly write: (text: string) => void;
  readonly columns: number;
  /** Called with the command that ended the parsing, as it is typed. */
  readonly onExit: (path: string) => void;
}

/** Keeps commander from printing and from ending the process. */
function configure(command: Commander, output: Output, path = programName): void {
  command
    .exitOverride((error) => {
      output.onExit(path);
      throw error;
    })
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: output.write,
      writeErr: output.write,
      outputError: () => undefined,
      getOutHelpWidth: () => output.columns,
      getErrHelpWidth: () => output.columns,
    });
  for (const sub of command.commands) configure(sub, output, `${path} ${sub.name()}`);
}

function exitTable(): string {
  const lines = Object.values(exits).map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`);
  return ["Exit codes:", ...lines].join("\n");
}

function exampleList(examples: readonly Example[]): string {
  const lines = examples.map(({ line, shows }) => `  ${programName} ${line}\n      ${shows}`);
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
