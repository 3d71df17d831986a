import { hasCode, RunnerError } from "../core/errors.ts";
import type { CompletePayload } from "../studio/studio.ts";
import { retryThroughOutage } from "./outage-retry.ts";
import type { Retrying } from "./ports.ts";
import type { StudioJob } from "./studio-job.ts";
import { createHash } from "node:crypto";
import type { Context } from "../studio/schemas.ts";

/** One post to Studio that ends the job. */
export interface Delivery extends Retrying {
  readonly job: StudioJob;
  /** Proves the lease at Studio and the run in the run store, by an exchange after `sinceMs`. */
  readonly prove: (signal: AbortSignal, sinceMs?: number) => Promise<void>;
  /** Identifies the run's job (`jobDigest`); undefined if its context was never read. */
  readonly jobDigest: string | undefined;
  /** Whether an earlier attempt may have posted already. */
  readonly mayHavePosted: boolean;
}

/** `unconfirmed`: a post got no answer, and then the job or its lease was gone, as if the post had arrived. */
export type Posted = "accepted" | "unconfirmed";

/**
 * Posts the deliverables. Retries through an outage for as long as the lease is kept.
 * @throws RunnerError `studio_rejected` when the payload is refused, `lease_lost`, `key_refused`, `superseded`; or the
 *   signal's reason. A `LostTrack` if a post got no answer before that.
 */
export async function deliver(
  delivery: Delivery,
  payload: CompletePayload,
  signal: AbortSignal,
): Promise<Posted> {
  const answer = await postEnd(delivery, signal, () => delivery.job.complete(payload, signal));
  if (answer === "unconfirmed") delivery.log.warn("completion_unconfirmed");
  return answer;
}

/** Tells Studio, and so the user, why the job failed. @throws as `deliver` */
export async function reportFailure(
  delivery: Delivery,
  reason: string,
  signal: AbortSignal,
): Promise<Posted> {
  return await postEnd(delivery, signal, () => delivery.job.fail(reason, signal));
}

/** The lease ended before an unanswered post could be repeated: it is unknown whether Studio accepted it. */
export class LostTrack extends RunnerError {}

/**
 * Posts the end of the job to Studio, which also ends the lease. Studio identifies a job by key and workspace only. After an
 * unanswered post, the lease may belong to the workspace's next job, so the job is compared before the post is repeated.
 */
async function postEnd(delivery: Delivery, signal: AbortSignal, send: () => Promise<void>): Promise<Posted> {
  let unansweredAtMs = delivery.mayHavePosted ? delivery.clock.now() : undefined;
  try {
    return await retryThroughOutage(delivery, signal, async () => {
      if (unansweredAtMs !== undefined && !(await isStillLeased(delivery, signal))) return "unconfirmed";
      await delivery.prove(signal, unansweredAtMs);
      try {
        await send();
      } catch (thrown) {
        const error = isForeign(thrown) ? unanswered(thrown) : thrown;
        // An aborted post counts as unanswered: the lease may be gone because this post arrived.
        if (signal.aborted || mayHaveArrived(error)) unansweredAtMs = delivery.clock.now();
        throw error;
      }
      return "accepted";
    });
  } catch (error) {
    if (unansweredAtMs === undefined || !hasCode(error, "lease_lost", "key_refused")) throw error;
    if (isConfirmedLoss(error)) return "unconfirmed";
    throw new LostTrack(error.code, error.message, { cause: error });
  }
}

/** Whether the lease that the key holds now is for this job. */
export async function isStillLeased(
  { job, jobDigest: own }: Pick<Delivery, "job" | "jobDigest">,
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
 * The digest for a run that has to report a failure before it read its job; without it the report could not be repeated.
 * Undefined if Studio does not return the context.
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

/** Whether Studio itself said that the lease is gone. An expired lease does not show what arrived. */
export function isConfirmedLoss(error: RunnerError): boolean {
  return error.code === "lease_lost" && error.status !== undefined;
}

/** A success that is not Studio's answer, such as a proxy's page: the request's effect is unknown. */
function isForeign(thrown: unknown): thrown is RunnerError {
  return hasCode(thrown, "studio_contract") && thrown.status !== undefined && thrown.status < 300;
}

const unanswered = (cause: RunnerError): RunnerError =>
  new RunnerError("studio_unavailable", cause.message, { retryable: true, cause });

function mayHaveArrived(error: unknown): boolean {
  return error instanceof RunnerError && error.retryable && error.status !== 429;
}

/**
 * Identifies the job of a context, since the API has no id for it: a digest of the messages to be answered, or
 * of title, idea and text if there are none (studio-api.md, "Context object"). It uses ids and texts only, because an out-of-range
 * number in one answer can be valid in the next.
 */
export function jobDigest({ recentMessages, recentText, title, legacyIdea }: Context): string {
  const job =
    recentMessages.length > 0
      ? recentMessages.map(({ id, text }) => [id, text])
      : { title, legacyIdea, recentText };
  return createHash("sha256").update(JSON.stringify(job)).digest("base64url").slice(0, 22);
}
