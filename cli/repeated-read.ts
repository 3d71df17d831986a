import type { Context } from "./context.ts";
import { toCliError, type CliError } from "./errors.ts";
import { formatTime } from "./format.ts";

/** What was read, or why the read failed. */
export type ReadResult<T> = { readonly value: T } | { readonly error: CliError; readonly report: string };

/**
 * For commands that read repeatedly. A read that fails because of AWS or the network, or because the local stack is stopped, does
 * not end the command: the failure is reported once and then counted, until a read succeeds. Other errors end the command.
 * @param what "read the run store"
 */
export function createRepeatedRead(
  { clock, terminal, signal }: Pick<Context, "clock" | "terminal" | "signal">,
  what: string,
): <T>(work: () => Promise<T>) => Promise<ReadResult<T>> {
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
      const report = failures === 1 ? message : `Could not ${what}, ${times()}: ${error.message}`;
      terminal.progress(report, message);
      return { error, report };
    }
  };
}

const mayPass = ({ exit, code }: CliError): boolean =>
  code === "not_running" || (exit === "failed" && code !== "internal");
