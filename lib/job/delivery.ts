import { RunnerError } from "../errors.ts";
import type { CompletePayload } from "../studio/studio.ts";
import { canRepeat, persist, type PersistDeps } from "./persist.ts";
import type { StudioJob } from "./studio-job.ts";

export interface DeliveryDeps extends PersistDeps {
  readonly job: StudioJob;
  /** Proves by a beat that the lease is ours (LeaseKeeper). */
  readonly confirmLease: (signal: AbortSignal) => Promise<void>;
}

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
      // After an unanswered try a beat finds out: a job that Studio has taken has no lease any more.
      if (unanswered) await deps.confirmLease(signal);
      try {
        await deps.job.complete(payload, signal);
      } catch (error) {
        // Cut off is unanswered too: the beat that found the lease gone may have found this very completion.
        unanswered ||= signal.aborted || mayHaveArrived(error);
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
export async function reportFailure(
  deps: Omit<DeliveryDeps, "confirmLease">,
  reason: string,
  signal: AbortSignal,
): Promise<void> {
  await persist(deps, signal, () => deps.job.fail(reason, signal));
}

function mayHaveArrived(error: unknown): boolean {
  return error instanceof RunnerError && canRepeat(error) && error.status !== 429;
}
