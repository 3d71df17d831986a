import { runOne } from "./job.ts";
import { leaseAnswerSchema } from "../../lib/studio/schemas.ts";
import { log, studio } from "./parts.ts";

/**
 * A worker as the public runner is one: one job at a time, without run store or fence. It makes the same calls, checks the same answers
 * and writes the same log lines. One event works until the queue is
 * empty, or for as many jobs as it says; or on jobs that somebody has leased for it, as a processor does.
 */
export async function handler(
  event: { readonly jobs: number } | { readonly workspaceIds: readonly string[] },
): Promise<{ readonly jobs: number }> {
  if ("workspaceIds" in event) {
    for (const workspaceId of event.workspaceIds) await runOne(workspaceId);
    return { jobs: event.workspaceIds.length };
  }
  for (let jobs = 0; ; jobs++) {
    const answer = jobs < event.jobs && (await studio("/leaseWorkspaceJob", {}, leaseAnswerSchema));
    if (!answer || !answer.leased) return { jobs };
    log("job_leased", { workspaceId: answer.workspaceId });
    await runOne(answer.workspaceId);
  }
}
