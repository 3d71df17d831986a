import type { Context } from "./context.ts";
import { toCliError, type CliError } from "./errors.ts";
import { formatTime } from "./format.ts";

/** What a look found, or why it failed. */
export type Look<T> = { readonly value: T } | { readonly error: CliError; readonly told: string };

/**
 * For commands that look again and again: a look that AWS or the network fails, or that finds the local stack stopped, does not
 * end the command. Its failure is told once and then counted, until a look succeeds. Other errors end the command.
 * @param what "read the run store"
 */
export function createLooks(
  { clock, terminal, signal }: Pick<Context, "clock" | "terminal" | "signal">,
  what: string,
): <T>(work: () => Promise<T>) => Promise<Look<T>> {
  let failures = 0;
  let sinceMs = 0;
  const times = (): string => `${failures} times since ${formatTime(sinceMs).slice(11, 16)} UTC`;
  return async (work) => {
    try {
      const value = await work();
      if (failures > 0) terminal.progress(`Could ${what} again, after failing ${times()}`, what);
      failures = 0;
      return { value };
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toCliError(thrown);
      if (!mayPass(error)) throw error;
      failures += 1;
      if (failures === 1) sinceMs = clock.now();
      const message = `Could not ${what}: ${error.message}`;
      const told = failures === 1 ? message : `${message.replace(/\.$/, "")} (${times()})`;
      terminal.progress(told, message);
      return { error, told };
    }
  };
}

const mayPass = ({ exit, code }: CliError): boolean =>
  code === "not_running" || (exit === "failed" && code !== "internal");
