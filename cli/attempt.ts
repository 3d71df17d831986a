import { toCliError, type CliErrorCode } from "./errors.ts";

/** One part of an answer: a value, or the problem that prevented it. The other parts are shown either way. */
export type Part<T> = { readonly value: T } | { readonly problem: Problem };

export interface Problem {
  readonly code: CliErrorCode;
  readonly message: string;
}

export async function attempt<T>(work: () => Promise<T>): Promise<Part<T>> {
  try {
    return { value: await work() };
  } catch (thrown) {
    const { code, message } = toCliError(thrown);
    return { problem: { code, message } };
  }
}

export const valueOf = <T>(part: Part<T>): T | undefined => ("value" in part ? part.value : undefined);
export const problemOf = (part: Part<unknown>): Problem | undefined =>
  "problem" in part ? part.problem : undefined;
