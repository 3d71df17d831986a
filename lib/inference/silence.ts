import type { Clock } from "../clock.ts";
import { RunnerError } from "../errors.ts";

export interface SilenceLimit {
  readonly clock: Clock;
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

/** What `work` gets: the signal that closes its line, and what it calls whenever it hears anything on it. */
export interface Line {
  readonly signal: AbortSignal;
  readonly heard: () => void;
}

/**
 * Runs `work` while its line is not silent for `silenceMs`. The line's signal is aborted at silence, with the outer
 * signal, and at the end in any case, so that no connection stays behind. The promise settles at the abort even if
 * `work` does not.
 * @throws RunnerError `model_unavailable` (retryable) at silence; `signal.reason` when the outer signal aborts
 */
export async function withSilenceLimit<T>(limit: SilenceLimit, work: (line: Line) => Promise<T>): Promise<T> {
  const { clock, silenceMs, signal } = limit;
  signal.throwIfAborted();
  const controller = new AbortController();
  const watch = new AbortController();
  let heardAtMs = clock.now();
  const heard = (): void => {
    heardAtMs = clock.now();
  };
  const onOuterAbort = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", onOuterAbort, { once: true });
  const cut = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason), { once: true });
  });
  const waitForSilence = async (): Promise<void> => {
    for (let leftMs = silenceMs; leftMs > 0; leftMs = heardAtMs + silenceMs - clock.now()) {
      await clock.sleep(leftMs, watch.signal);
    }
    controller.abort(silent(silenceMs));
  };
  waitForSilence().catch(() => undefined); // the watch ends with the work
  try {
    return await Promise.race([work({ signal: controller.signal, heard }), cut]);
  } finally {
    watch.abort("over");
    signal.removeEventListener("abort", onOuterAbort);
    controller.abort("over");
  }
}

const silent = (silenceMs: number): RunnerError =>
  new RunnerError("model_unavailable", `the model's provider sent nothing for ${silenceMs} ms`, {
    retryable: true,
  });
