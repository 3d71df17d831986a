import { RunnerError } from "../core/errors.ts";
import { retryWaitMs, type Pace } from "../core/retry.ts";
import type { Retrying } from "./ports.ts";

/** Retries have no maximum count: the lease's end or the attempt's deadline stops them. */
const pace: Pace = { baseMs: 500, maxMs: 30_000 };

/**
 * Makes a call to Studio or the run store that the run needs, and retries it through an outage.
 * @throws errors that are not retryable, or the signal's reason
 */
export async function retryThroughOutage<T>(
  { clock, random, log }: Retrying,
  signal: AbortSignal,
  send: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RunnerError) || !isTemporary(error)) throw error;
      const waitMs = retryWaitMs(pace, { attempt, askedMs: error.retryAfterMs }, random);
      log.warn("call_retried", { reason: error.code, explanation: error.message, waitMs });
      await clock.sleep(waitMs, signal);
    }
  }
}

/** A refused key is retried too, since Studio may refuse it by mistake. The lease's end bounds the wait. */
function isTemporary(error: RunnerError): boolean {
  return error.retryable || error.code === "key_refused";
}
