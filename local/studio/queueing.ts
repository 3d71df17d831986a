import { Refusal } from "./http.ts";
import type { JobTarget } from "./page-api.ts";
import type { StudioPorts } from "./ports.ts";
import type { Store, WorkspaceRow } from "./store.ts";

const dayMs = 86_400_000;

type QueueingPorts = Pick<StudioPorts, "store" | "dailyLimits">;

/** A workspace with its first job: a first message, or the idea of a workspace that has no messages. */
export type NewJob = {
  readonly title?: string | undefined;
  readonly target?: JobTarget | undefined;
} & (
  | { readonly text: string; readonly subtitle?: string; readonly legacyIdea?: undefined }
  | { readonly legacyIdea: string; readonly text?: undefined }
);

export function addWorkspace(
  ports: QueueingPorts,
  job: NewJob,
  nowMs: number,
): { readonly workspaceId: string } {
  const { target = "user", legacyIdea = null } = job;
  const title = job.title || null;
  const workspaceId = ports.store.addWorkspace({ title, target, legacyIdea }, nowMs);
  const jobId = addJob(ports, { workspaceId, target }, nowMs);
  if (job.legacyIdea !== undefined) return { workspaceId };
  const subtitle = job.subtitle === undefined ? {} : { subtitle: job.subtitle };
  ports.store.addMessage({ workspaceId, jobId, role: "user", text: job.text, ...subtitle }, nowMs);
  return { workspaceId };
}

export function addMessage(
  ports: QueueingPorts,
  message: { readonly workspaceId: string; readonly text: string; readonly isOwnJob: boolean },
  nowMs: number,
): WorkspaceRow {
  const { isOwnJob, text } = message;
  const workspace = requireWorkspace(ports.store, message.workspaceId);
  const { workspaceId } = workspace;
  const waiting = isOwnJob ? undefined : ports.store.waitingJob(workspaceId);
  const jobId = waiting?.jobId ?? addJob(ports, workspace, nowMs);
  ports.store.addMessage({ workspaceId, text, jobId, role: "user" }, nowMs);
  ports.store.touch(workspace.workspaceId, nowMs);
  return workspace;
}

/**
 * Queues a new job for the messages of a failed one.
 * @throws Refusal 404; 409 if the newest job has not failed; 429
 */
export function addRetry(ports: QueueingPorts, workspaceId: string, nowMs: number): WorkspaceRow {
  const workspace = requireWorkspace(ports.store, workspaceId);
  if (ports.store.presentJob(workspaceId)?.state !== "failed")
    throw new Refusal(409, "Only a job that failed can be retried, and this one did not.");
  addJob(ports, workspace, nowMs);
  ports.store.touch(workspaceId, nowMs);
  return workspace;
}

/** @throws Refusal 404; 409 while a runner holds the lease of the workspace's job */
export function removeWorkspace(
  { store }: Pick<StudioPorts, "store">,
  workspaceId: string,
): { readonly workspaceId: string } {
  requireWorkspace(store, workspaceId);
  if (store.presentJob(workspaceId)?.state === "leased")
    throw new Refusal(409, "A runner is working on this workspace. Delete it when the job has ended.");
  store.removeWorkspace(workspaceId);
  return { workspaceId };
}

function addJob(
  ports: QueueingPorts,
  workspace: { readonly workspaceId: string; readonly target: JobTarget },
  nowMs: number,
): number {
  const dayStartMs = nowMs - (nowMs % dayMs);
  const limit = ports.dailyLimits[workspace.target];
  if (ports.store.jobsSince(workspace.target, dayStartMs) >= limit) {
    const resetsAt = new Date(dayStartMs + dayMs).toISOString();
    const sentence = `The daily limit of ${limit} ${workspace.target} jobs is used up. It resets at ${resetsAt}.`;
    const retryAfter = String(Math.ceil((dayStartMs + dayMs - nowMs) / 1000));
    throw new Refusal(429, sentence, { headers: { "retry-after": retryAfter } });
  }
  return ports.store.addJob(workspace, nowMs);
}

/** @throws Refusal 404 */
export function requireWorkspace(store: Store, workspaceId: string): WorkspaceRow {
  const workspace = store.workspace(workspaceId);
  if (workspace === undefined) throw new Refusal(404, "there is no such workspace");
  return workspace;
}
