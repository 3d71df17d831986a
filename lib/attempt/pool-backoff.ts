import { RunnerError, toRunnerError } from "../core/errors.ts";
import type { Throttler } from "../runs/backoff.ts";
import { rateLimitWaitMs, type Failed } from "../core/retry.ts";
import type { Ports } from "./ports.ts";
import type { StudioJob } from "./studio-job.ts";

export type BackoffPorts = Pick<Ports, "clock" | "random" | "backoff" | "log">;

export interface Limit extends Failed {
  readonly pool: string;
  readonly by: Throttler;
}

/** Makes the whole pool wait, through the run store. Never throws: if the run store is out of reach, only this run waits. */
export async function extendBackoff(
  { clock, random, backoff, log }: BackoffPorts,
  { pool, by, ...refused }: Limit,
): Promise<void> {
  try {
    await backoff.extend(pool, by, clock.now() + rateLimitWaitMs(refused, random));
  } catch (thrown) {
    const error = toRunnerError(thrown);
    log.warn("backoff_unavailable", { reason: error.code, error });
  }
}

/** A job whose 429s also stop the pool's leasing. The caller gets the error without waiting for the run store. */
export function withPoolBackoff(job: StudioJob, ports: BackoffPorts, pool: string): StudioJob {
  let throttles = 0;
  const extendOn429 = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      const value = await answer;
      throttles = 0;
      return value;
    } catch (error) {
      if (error instanceof RunnerError && error.status === 429)
        void extendBackoff(ports, { pool, by: "studio", attempt: ++throttles, askedMs: error.retryAfterMs });
      throw error;
    }
  };
  return {
    context: (signal) => extendOn429(job.context(signal)),
    heartbeat: (signal) => extendOn429(job.heartbeat(signal)),
    updateSummary: (update, signal) => extendOn429(job.updateSummary(update, signal)),
    complete: (payload, signal) => extendOn429(job.complete(payload, signal)),
    fail: (reason, signal) => extendOn429(job.fail(reason, signal)),
  };
}
