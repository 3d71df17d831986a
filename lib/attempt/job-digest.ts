import { createHash } from "node:crypto";
import { hasCode, RunnerError } from "../core/errors.ts";
import type { Context } from "../studio/schemas.ts";
import type { StudioJob } from "./studio-job.ts";

/**
 * Identifies the job of a context, since the API has no id for it: a digest of the messages to be answered, or
 * of title, idea and text if there are none (Studio API, "Context object"). It uses ids and texts only, because an out-of-range
 * number in one answer can be valid in the next.
 */
export function jobDigest({ recentMessages, recentText, title, legacyIdea }: Context): string {
  const job =
    recentMessages.length > 0
      ? recentMessages.map(({ id, text }) => [id, text])
      : { title, legacyIdea, recentText };
  return createHash("sha256").update(JSON.stringify(job)).digest("base64url").slice(0, 22);
}

/** Whether the lease that the key holds now is for this job. `digest` is undefined if the job's context was never read. */
export async function isLeaseForJob(
  { job, digest }: { readonly job: StudioJob; readonly digest: string | undefined },
  signal: AbortSignal,
): Promise<boolean> {
  if (digest === undefined) return false;
  try {
    return jobDigest(await job.context(signal)) === digest;
  } catch (error) {
    if (hasCode(error, "studio_contract", "studio_rejected")) return false;
    throw error;
  }
}

/**
 * Reads the digest for a run that has to report a failure before it read its job; without it the report could not be repeated.
 * Undefined if Studio does not return the context.
 */
export async function readJobDigest(job: StudioJob, signal: AbortSignal): Promise<string | undefined> {
  try {
    return jobDigest(await job.context(signal));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RunnerError) return undefined;
    throw error;
  }
}
