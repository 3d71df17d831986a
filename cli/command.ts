import type * as z from "zod";
import type { Context } from "./context.ts";
import { CliError, type ExitName } from "./errors.ts";
import type { Screen } from "./terminal.ts";

/** What a command found or did: as data for `--json`, and as text for a person. */
export interface Outcome {
  /** One JSON document. Times are epoch ms, names carry their unit. Never a secret's value. */
  readonly data: unknown;
  /** `undefined`: everything has been printed on the way. */
  readonly text: ((screen: Screen) => string) | undefined;
  /** Default `ok`. */
  readonly exit?: ExitName;
}

export interface ArgumentRow {
  readonly name: string;
  readonly meaning: string;
  readonly optional?: true;
}

export interface OptionRow {
  /** As commander reads it: `--limit <count>`. */
  readonly flags: string;
  readonly meaning: string;
}

export interface Example {
  /** After `npm run runner -- `. */
  readonly line: string;
  readonly shows: string;
}

export interface CommandWords {
  /** One or two words: `status`, `secrets set`. */
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** More for the command's own help: what it looks at, when its exit code is not 0. */
  readonly details?: string;
  readonly arguments?: readonly ArgumentRow[];
  readonly options?: readonly OptionRow[];
  /** Why no more arguments are taken than these: in place of an error that shows them. */
  readonly noMore?: string;
  readonly examples: readonly Example[];
}

export interface Command extends CommandWords {
  /** @throws CliError `usage` for what was given, and what the command itself throws */
  run(context: Context, given: unknown): Promise<Outcome>;
}

interface Definition<S extends z.ZodType> extends CommandWords {
  /** Of arguments and options by their names in camel case, as texts. */
  readonly input: S;
  readonly run: (context: Context, input: z.output<S>) => Promise<Outcome>;
}

/** A command whose arguments and options are checked before it runs. */
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
      throw new CliError("usage", problems.join(" "), { remedy: helpOf(words.name) });
    },
  };
}

export const helpOf = (name: string): string => `See npm run runner -- ${name} --help`;

/** A key of the input as the person typed it: `--why`, or `WORKSPACE`. */
function labelOf({ arguments: given = [] }: CommandWords, key: string): string {
  if (given.some(({ name }) => name === key)) return key.toUpperCase();
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
