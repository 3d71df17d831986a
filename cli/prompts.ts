import { confirm, input, password, select } from "@inquirer/prompts";
import { CliError } from "./errors.ts";

export interface TextQuestion {
  readonly message: string;
  readonly default?: string;
  /** Returns a sentence about what is wrong with the text; `undefined`: nothing. */
  readonly problem?: (text: string) => string | undefined;
}

export interface ChoiceQuestion<T extends string> {
  readonly message: string;
  readonly choices: readonly { readonly value: T; readonly name: string }[];
  readonly default: T;
}

/** Questions to a person at a terminal. @throws CliError `interrupted` on Ctrl-C */
export interface Prompts {
  text(question: TextQuestion): Promise<string>;
  /** Does not show what is typed or pasted. */
  hidden(message: string): Promise<string>;
  choose<T extends string>(question: ChoiceQuestion<T>): Promise<T>;
  confirm(message: string, byDefault: boolean): Promise<boolean>;
}

export interface PromptEdges {
  /** Standard error, because standard output is for results. */
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

export function createPrompts(edges: PromptEdges): Prompts {
  return {
    text: ({ message, default: byDefault, problem }) =>
      ask(() =>
        input(
          {
            message,
            default: byDefault,
            validate: (text) => problem?.(text.trim()) ?? true,
          },
          edges,
        ),
      ).then((text) => text.trim()),
    hidden: (message) => ask(() => password({ message }, edges)),
    choose: ({ message, choices, default: byDefault }) =>
      ask(() => select({ message, choices, default: byDefault }, edges)),
    confirm: (message, byDefault) => ask(() => confirm({ message, default: byDefault }, edges)),
  };
}

/** The names of inquirer's errors for Ctrl-C. */
const stops: readonly string[] = ["ExitPromptError", "AbortPromptError"];

async function ask<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof Error && stops.includes(error.name)) throw new CliError("interrupted", "Stopped.");
    throw error;
  }
}
