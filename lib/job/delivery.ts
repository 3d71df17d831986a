import type { Clock } from "../clock.ts";
import { RunnerError } from "../errors.ts";
import type { Log } from "../log.ts";
import { backoffMs, type RetryPolicy } from "../retry.ts";
import type { CompletePayload } from "../studio/studio.ts";
import type { StudioJob } from "./studio-job.ts";

export interface DeliveryDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly job: StudioJob;
}

/** Repeated for as long as the signal allows: the lease's end or the leg's deadline stops it, not a count. */
const patience: RetryPolicy = {
  attempts: Number.POSITIVE_INFINITY,
  baseMs: 500,
  maxMs: 30_000,
  maxRetryAfterMs: Number.POSITIVE_INFINITY,
};

/**
 * Posts the deliverables, through any outage.
 * `unconfirmed`: an earlier try went unanswered and now the lease is gone, as it is after a completion that arrived.
 * @throws RunnerError `studio_rejected` when the payload is refused, `lease_lost`, `key_refused`; or the signal's reason
 */
export async function deliver(
  deps: DeliveryDeps,
  payload: CompletePayload,
  signal: AbortSignal,
): Promise<"accepted" | "unconfirmed"> {
  let unanswered = false;
  try {
    await persist(deps, signal, async () => {
      try {
        await deps.job.complete(payload, signal);
      } catch (error) {
        unanswered ||= mayHaveArrived(error);
        throw error;
      }
    });
    return "accepted";
  } catch (error) {
    if (!unanswered || !(error instanceof RunnerError) || error.code !== "lease_lost") throw error;
    deps.log.warn("completion_unconfirmed", { explanation: error.message });
    return "unconfirmed";
  }
}

/** Tells Studio, and so the user, why the job failed. @throws as `deliver` */
export async function reportFailure(deps: DeliveryDeps, reason: string, signal: AbortSignal): Promise<void> {
  await persist(deps, signal, () => deps.job.fail(reason, signal));
}

async function persist(deps: DeliveryDeps, signal: AbortSignal, send: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RunnerError) || !canRepeat(error)) throw error;
      const waitMs = error.retryAfterMs ?? backoffMs(patience, attempt, deps.random);
      deps.log.warn("call_retried", { reason: error.code, explanation: error.message, waitMs });
      await deps.clock.sleep(waitMs, signal);
    }
  }
}

/** A page from a proxy with status 200 is no answer of Studio's: it is repeated like an outage. */
function canRepeat(error: RunnerError): boolean {
  return error.retryable || error.code === "studio_contract";
}

function mayHaveArrived(error: unknown): boolean {
  return error instanceof RunnerError && canRepeat(error) && error.status !== 429;
}
