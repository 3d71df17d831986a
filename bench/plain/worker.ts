import { runOne } from "./job.ts";
import { studio } from "./parts.ts";

/**
 * A worker as the public runner is one: one job at a time, without ledger or fence. One event works until the queue is
 * empty, or for as many jobs as it says.
 */
export async function handler(event: { readonly jobs: number }): Promise<{ readonly jobs: number }> {
  for (let jobs = 0; ; jobs++) {
    const answer = jobs < event.jobs ? await studio("/leaseWorkspaceJob", {}) : {};
    const workspaceId = answer["workspaceId"];
    if (typeof workspaceId !== "string") return { jobs };
    await runOne(workspaceId);
  }
}
