import { hasCode, RunnerError } from "../core/errors.ts";
import { isLeaseForJob } from "./job-digest.ts";
import { retryThroughOutage } from "./outage-retry.ts";
import type { Retrying } from "./ports.ts";
import type { StudioJob } from "./studio-job.ts";

/*
 * One post that ends the job at Studio, repeated until it is answered. Attempts and recovery use it; what an attempt posts, and
 * what it records first, is in post-result.ts.
 */

export interface Post extends Retrying {
  readonly job: StudioJob;
  /** Proves the lease at Studio and the run in the run store, by an exchange after `sinceMs`. */
  readonly prove: (signal: AbortSignal, sinceMs?: number) => Promise<void>;
  /** Identifies the run's job (job-digest.ts); undefined if its context was never read. */
  readonly jobDigest: string | undefined;
  /** Whether an earlier attempt may have posted already. */
  readonly mayHavePosted: boolean;
}

/** `unconfirmed`: a post got no answer, and then the job or its lease was gone, as if the post had arrived. */
export type Answer = "accepted" | "unconfirmed";

/** The lease ended before an unanswered post could be repeated: it is unknown whether Studio accepted it. */
export class UnconfirmedPostError extends RunnerError {}

/**
 * Sends the deliverables or a failure report with `send`, and retries through an outage for as long as the lease is kept. Studio
 * identifies a job by key and workspace only. After an unanswered post, the lease may belong to the workspace's next job, so the
 * job is compared before the post is repeated.
 * @throws RunnerError `studio_rejected` when the payload is refused, `lease_lost`, `key_refused`, `superseded`; or the
 *   signal's reason. An `UnconfirmedPostError` if a post got no answer before that.
 */
export async function postUntilAnswered(
  post: Post,
  signal: AbortSignal,
  send: () => Promise<void>,
): Promise<Answer> {
  const { clock, job, jobDigest: digest } = post;
  let unansweredAtMs = post.mayHavePosted ? clock.now() : undefined;
  try {
    return await retryThroughOutage(post, signal, async () => {
      if (unansweredAtMs !== undefined && !(await isLeaseForJob({ job, digest }, signal)))
        return "unconfirmed";
      await post.prove(signal, unansweredAtMs);
      try {
        await send();
      } catch (thrown) {
        const error = isForeign(thrown) ? unanswered(thrown) : thrown;
        // An aborted post counts as unanswered: the lease may be gone because this post arrived.
        if (signal.aborted || mayHaveArrived(error)) unansweredAtMs = clock.now();
        throw error;
      }
      return "accepted";
    });
  } catch (error) {
    if (unansweredAtMs === undefined || !hasCode(error, "lease_lost", "key_refused")) throw error;
    if (isConfirmedLoss(error)) return "unconfirmed";
    throw new UnconfirmedPostError(error.code, error.message, { cause: error });
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
