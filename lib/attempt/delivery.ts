import { hasCode, RunnerError } from "../core/errors.ts";
import type { CompletePayload } from "../studio/studio.ts";
import { jobDigest } from "./job-digest.ts";
import { persist, type PersistDeps } from "./persist.ts";
import type { StudioJob } from "./studio-job.ts";

export interface DeliveryDeps extends PersistDeps {
  readonly job: StudioJob;
  /** Proves that the lease is ours at Studio and the run ours in the run store: now, or since the time that is named. */
  readonly prove: (signal: AbortSignal, sinceMs?: number) => Promise<void>;
  /** The run's job (job-digest.ts); undefined where its context was never read. */
  readonly jobDigest: string | undefined;
  /** An earlier attempt may have posted already. */
  readonly mayHavePosted: boolean;
}

/** `unconfirmed`: a try went unanswered, and now the job, or its lease, is gone, as after a post that arrived. */
export type Posted = "accepted" | "unconfirmed";

/**
 * Posts the deliverables, through any outage.
 * @throws RunnerError `studio_rejected` when the payload is refused, `lease_lost`, `key_refused`, `superseded`; or the
 *   signal's reason. A `LostTrack` where a try went unanswered before that.
 */
export async function deliver(
  deps: DeliveryDeps,
  payload: CompletePayload,
  signal: AbortSignal,
): Promise<Posted> {
  const answer = await postEnd(deps, signal, () => deps.job.complete(payload, signal));
  if (answer === "unconfirmed") deps.log.warn("completion_unconfirmed");
  return answer;
}

/** Tells Studio, and so the user, why the job failed. @throws as `deliver` */
export async function reportFailure(
  deps: DeliveryDeps,
  reason: string,
  signal: AbortSignal,
): Promise<Posted> {
  return await postEnd(deps, signal, () => deps.job.fail(reason, signal));
}

/** The lease ended before an unanswered post could be repeated: nobody here knows whether Studio took it. */
export class LostTrack extends RunnerError {}

/**
 * A post that ends the job at Studio, and the lease with it. Studio tells jobs apart by key and workspace only. After a
 * post that went unanswered the lease may be that of the workspace's next job, so that the job is compared first.
 */
async function postEnd(deps: DeliveryDeps, signal: AbortSignal, send: () => Promise<void>): Promise<Posted> {
  let unansweredAtMs = deps.mayHavePosted ? deps.clock.now() : undefined;
  try {
    return await persist(deps, signal, async () => {
      if (unansweredAtMs !== undefined && !(await isStillLeased(deps, signal))) return "unconfirmed";
      await deps.prove(signal, unansweredAtMs);
      try {
        await send();
      } catch (thrown) {
        const error = isForeign(thrown) ? unanswered(thrown) : thrown;
        // Cut off is unanswered too: the heartbeat that found the lease gone may have found this very post.
        if (signal.aborted || mayHaveArrived(error)) unansweredAtMs = deps.clock.now();
        throw error;
      }
      return "accepted";
    });
  } catch (error) {
    if (unansweredAtMs === undefined || !hasCode(error, "lease_lost", "key_refused")) throw error;
    if (isToldLost(error)) return "unconfirmed";
    throw new LostTrack(error.code, error.message, { cause: error });
  }
}

/** Whether the lease that the key holds now is for this very job. */
export async function isStillLeased(
  { job, jobDigest: own }: Pick<DeliveryDeps, "job" | "jobDigest">,
  signal: AbortSignal,
): Promise<boolean> {
  if (own === undefined) return false;
  try {
    return jobDigest(await job.context(signal)) === own;
  } catch (error) {
    if (hasCode(error, "studio_contract", "studio_rejected")) return false;
    throw error;
  }
}

/**
 * For a run that has to report a failure before it has read its job: without a digest its report could not be repeated.
 * Undefined where Studio does not give the context either.
 */
export async function digestForReport(job: StudioJob, signal: AbortSignal): Promise<string | undefined> {
  try {
    return jobDigest(await job.context(signal));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RunnerError) return undefined;
    throw error;
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
  return error instanceof RunnerError && error.retryable && error.status !== 429;
}
