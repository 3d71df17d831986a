import { runOne } from "./job.ts";
import { leaseAnswerSchema } from "../../lib/studio/schemas.ts";
import { log, studio } from "./parts.ts";

/**
 * A worker like the public runner: one job at a time, without run store or fence. It makes the same calls,
 * validates the same answers and writes the same log lines. One event works until the queue is
 * empty, or on a given number of jobs.
 */
export async function handler(event: { readonly jobs: number }): Promise<{ readonly jobs: number }> {
  for (let jobs = 0; ; jobs++) {
    const answer = jobs < event.jobs && (await studio("/leaseWorkspaceJob", {}, leaseAnswerSchema));
    if (!answer || !answer.leased) return { jobs };
    log("job_leased", { workspaceId: answer.workspaceId });
    await runOne(answer.workspaceId);
  }
}
