import type * as z from "zod";
import { commandLine } from "../infra/command-line.ts";
import type { Context } from "./context.ts";
import { CliError, type ExitName } from "./errors.ts";
import type { Screen } from "./terminal.ts";

/** The result of a command: data for `--json`, and text for a person. */
export interface Outcome {
  /**
   * One JSON document. Times are epoch ms, and names include their units. Never contains a secret's value.
   */
  readonly data: unknown;
  /** `undefined`: the command has already printed everything. */
  readonly text: ((screen: Screen) => string) | undefined;
  /** Default: `ok`. */
  readonly exit?: ExitName;
}

export interface ArgumentRow {
  readonly name: string;
  readonly meaning: string;
  readonly optional?: true;
  /** What a shell completes. */
  readonly choices?: readonly string[];
}

export interface OptionRow {
  /** In commander's syntax: `--limit <count>`. */
  readonly flags: string;
  readonly meaning: string;
  /** What a shell completes. */
  readonly choices?: readonly string[];
}

export interface Example {
  /** The part after the name of the command line. */
  readonly line: string;
  readonly shows: string;
}

export interface CommandWords {
  /** One or two words: `status`, `secrets set`. */
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** More text for the command's own help: what it checks, and when its exit code is not 0. */
  readonly details?: string;
  readonly arguments?: readonly ArgumentRow[];
  readonly options?: readonly OptionRow[];
  /**
   * Shown instead of the parser's error when there are too many arguments, because that error would repeat
   * them.
   */
  readonly noMore?: string;
  readonly examples: readonly Example[];
}

export interface Command extends CommandWords {
  /** @throws CliError `usage` for invalid input, and whatever the command throws */
  run(context: Context, given: unknown): Promise<Outcome>;
}

interface Definition<S extends z.ZodType> extends CommandWords {
  /** The schema for arguments and options. Its keys are their names in camel case, its values strings. */
  readonly input: S;
  readonly run: (context: Context, input: z.output<S>) => Promise<Outcome>;
}

/** Defines a command whose arguments and options are validated before it runs. */
export function defineCommand<S extends z.ZodType>(definition: Definition<S>): Command {
  const { input, run, ...words } = definition;
  return {
    ...words,
    run: async (context, given) => {
      const result = input.safeParse(given);
      if (result.success) return run(context, result.data);
      const problems = result.error.issues.map(
        ({ path, message }) => `${labelOf(words, String(path[0] ?? ""))}: ${message}`,
      );
      throw new CliError("usage", problems.join(" "), { remedy: helpOf(words.name, context.commandName) });
    },
  };
}

export const helpOf = (words: string, name: string): string =>
  `See ${commandLine(`${words} --help`.trim(), { name })}`;

/** The name of an input as the user types it: `--why`, or `WORKSPACE`. */
function labelOf({ arguments: given = [] }: CommandWords, key: string): string {
  if (given.some(({ name }) => name === key)) return key.toUpperCase();
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
