import { hasCode } from "../lib/core/errors.ts";
import type { Context } from "./context.ts";
import { CliError } from "./errors.ts";
import { asSentence } from "../lib/core/text.ts";

interface Wanted<T> {
  /** "the model key". */
  readonly what: string;
  /** The name in errors: `model-key`. */
  readonly name: string;
  /** Throws RunnerError `secret_malformed`, without any part of the value. */
  readonly parse: (text: string, where: string) => T;
}

/**
 * Reads a secret's value from standard input or from a prompt that does not show it; never from an argument.
 * @throws CliError `usage` for an empty or malformed value, without any part of it
 */
export async function readSecret<T>(
  { input, prompts }: Context,
  { what, name, parse }: Wanted<T>,
): Promise<{ readonly text: string; readonly parsed: T }> {
  const given = input.isTerminal ? await prompts.hidden(`Paste ${what} (not shown):`) : await input.readAll();
  const text = given.trim();
  if (text === "") {
    const remedy = "Pipe it in with < FILE, or run the command in a terminal and paste it.";
    throw new CliError("usage", `Standard input has no value for ${what}.`, { remedy });
  }
  try {
    return { text, parsed: parse(text, name) };
  } catch (error) {
    if (!hasCode(error, "secret_malformed")) throw error;
    throw new CliError("usage", asSentence(error.message), { remedy: "Nothing was stored." });
  }
}

/** Explains why a command that reads a secret accepts no argument. */
export const noValueArgument =
  "A key is never given as an argument: it would stay in the shell's history, and every process on this machine could see it. " +
  "Pipe it to standard input, or paste it at the hidden prompt. If it was a real key, replace it, because it may have been seen.";
