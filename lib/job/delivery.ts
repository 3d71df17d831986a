import { hasCode, RunnerError } from "../errors.ts";
import type { CompletePayload } from "../studio/studio.ts";
import { canRepeat, persist, type PersistDeps } from "./persist.ts";
import type { StudioJob } from "./studio-job.ts";

export interface DeliveryDeps extends PersistDeps {
  readonly job: StudioJob;
  /** Proves by a beat since then that the lease is ours (LeaseKeeper). */
  readonly confirmLease: (signal: AbortSignal, sinceMs: number) => Promise<void>;
}

/**
 * Posts the deliverables, through any outage.
 * `unconfirmed`: an earlier try went unanswered and now Studio says that the lease is gone, as it is after a completion
 * that arrived.
 * @throws RunnerError `studio_rejected` when the payload is refused, `lease_lost`, `key_refused`; or the signal's reason
 */
export async function deliver(
  deps: DeliveryDeps,
  payload: CompletePayload,
  signal: AbortSignal,
): Promise<"accepted" | "unconfirmed"> {
  // After an unanswered try a beat finds out: a job that Studio has taken has no lease any more.
  const beforeRepeat = (sinceMs: number): Promise<void> => deps.confirmLease(signal, sinceMs);
  const answer = await postEnd(deps, signal, {
    send: () => deps.job.complete(payload, signal),
    beforeRepeat,
  });
  if (answer === "unconfirmed") deps.log.warn("completion_unconfirmed");
  return answer;
}

/**
 * Tells Studio, and so the user, why the job failed. A lease that is gone after an unanswered try was taken by it.
 * @throws as `deliver`
 */
export async function reportFailure(
  deps: Omit<DeliveryDeps, "confirmLease">,
  reason: string,
  signal: AbortSignal,
): Promise<void> {
  await postEnd(deps, signal, { send: () => deps.job.fail(reason, signal) });
}

interface EndingPost {
  readonly send: () => Promise<void>;
  /** After a try, at `sinceMs`, that may have arrived. */
  readonly beforeRepeat?: (sinceMs: number) => Promise<void>;
}

/** A post that ends the job at Studio, and the lease with it. */
async function postEnd(
  deps: PersistDeps,
  signal: AbortSignal,
  { send, beforeRepeat }: EndingPost,
): Promise<"accepted" | "unconfirmed"> {
  let unansweredAtMs: number | undefined;
  try {
    await persist(deps, signal, async () => {
      if (unansweredAtMs !== undefined) await beforeRepeat?.(unansweredAtMs);
      try {
        await send();
      } catch (thrown) {
        const error = isForeign(thrown) ? unanswered(thrown) : thrown;
        // Cut off is unanswered too: the beat that found the lease gone may have found this very completion.
        if (signal.aborted || mayHaveArrived(error)) unansweredAtMs = deps.clock.now();
        throw error;
      }
    });
    return "accepted";
  } catch (error) {
    if (unansweredAtMs === undefined || !(error instanceof RunnerError) || !isToldLost(error)) throw error;
    return "unconfirmed";
  }
}

/** Studio itself said so. A lease that ran out while nobody answered tells nothing of what arrived. */
export function isToldLost(error: RunnerError): boolean {
  return error.code === "lease_lost" && error.status !== undefined;
}

/** A success in words that are not Studio's, as a proxy's page: nobody knows what became of the request. */
function isForeign(thrown: unknown): thrown is RunnerError {
  return hasCode(thrown, "studio_contract") && thrown.status !== undefined && thrown.status < 300;
}

const unanswered = (cause: RunnerError): RunnerError =>
  new RunnerError("studio_unavailable", cause.message, { retryable: true, cause });

function mayHaveArrived(error: unknown): boolean {
  return error instanceof RunnerError && canRepeat(error) && error.status !== 429;
}
