import { hasCode, RunnerError } from "../core/errors.ts";
import type { FailureReport, Run } from "../runs/run.ts";
import { isLeaseForJob, readJobDigest } from "./job-digest.ts";
import type { LeaseHeartbeat } from "./lease-heartbeat.ts";
import { retryThroughOutage } from "./outage-retry.ts";
import { completedUnconfirmed, type AttemptOutcome } from "./outcome.ts";
import type { Retrying } from "./ports.ts";
import { isConfirmedLoss, postUntilAnswered, type Post } from "./post.ts";
import type { Progress } from "./progress.ts";
import type { StudioJob } from "./studio-job.ts";
import type { Product } from "./work-context.ts";

/*
 * What an attempt posts to Studio: the deliverables or a failure report. Before each post, the lease is proved and the run store
 * records what is about to be sent, so that a later attempt knows that it may have arrived. How one post is sent and repeated is
 * in post.ts.
 */

export interface PostingAttempt extends Retrying {
  /** As the attempt started it. */
  readonly run: Run;
  readonly job: StudioJob;
  readonly heartbeat: LeaseHeartbeat;
  readonly progress: Progress;
}

/**
 * If Studio refuses the payload, the model repairs it, with Studio's message as input; once per run.
 * @throws as `postUntilAnswered`; what the repair throws
 */
export async function postDeliverables(
  attempt: PostingAttempt,
  product: Product,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const { run, job, heartbeat, progress, log } = attempt;
  const { payload, repair } = product;
  await heartbeat.confirm(signal);
  await progress.save({ ...progress.known, delivering: true }, signal);
  try {
    const post = postOf(attempt, run.delivering);
    const answer = await postUntilAnswered(post, signal, () => job.complete(payload, signal));
    if (answer === "accepted") return { state: "completed", reason: "ok", product };
    log.warn("completion_unconfirmed");
    return { ...completedUnconfirmed, product };
  } catch (error) {
    if (!hasCode(error, "studio_rejected") || !repair) throw error;
    log.warn("payload_refused", { reason: error.code, explanation: error.message });
    await progress.save({ delivering: false, repaired: true }, signal);
    // The repaired product has no further repair.
    return postDeliverables(attempt, await repair(error.message), signal);
  }
}

/** Tells Studio, and so the user, why the job failed. @throws as `postUntilAnswered` */
export async function postFailure(
  attempt: PostingAttempt,
  report: FailureReport,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const { run, job, heartbeat, progress } = attempt;
  if (progress.known.delivering && (await haveDeliverablesArrived(attempt, signal)))
    return completedUnconfirmed;
  await heartbeat.confirm(signal);
  const { known } = progress;
  if (!run.reporting) {
    const jobDigest = known.jobDigest ?? (await readJobDigest(job, signal));
    await progress.save({ ...known, reporting: report, jobDigest }, signal);
  }
  const post = postOf(attempt, run.reporting !== undefined);
  const answer = await postUntilAnswered(post, signal, () => job.fail(report.explanation, signal));
  return { state: "failed", ...report, unconfirmed: answer === "accepted" ? undefined : true };
}

/** The deliverables got no answer, and the job's lease is gone or belongs to another job. */
async function haveDeliverablesArrived(attempt: PostingAttempt, signal: AbortSignal): Promise<boolean> {
  const { job, progress } = attempt;
  const { jobDigest: digest } = progress.known;
  try {
    return !(await retryThroughOutage(attempt, signal, () => isLeaseForJob({ job, digest }, signal)));
  } catch (error) {
    if (error instanceof RunnerError && isConfirmedLoss(error)) return true;
    throw error;
  }
}

function postOf(attempt: PostingAttempt, mayHavePosted: boolean): Post {
  const { heartbeat, progress } = attempt;
  const prove: Post["prove"] = (signal, sinceMs) => heartbeat.confirm(signal, sinceMs);
  return { ...attempt, prove, jobDigest: progress.known.jobDigest, mayHavePosted };
}
