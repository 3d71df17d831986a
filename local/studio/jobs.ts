import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../lib/clock.ts";
import type { SummaryUpdate } from "../../lib/studio/studio.ts";
import { buildContext, type ContextLimits } from "./context.ts";
import { Refusal } from "./http.ts";
import type { Credential } from "./keys.ts";
import type { JobTarget } from "./page-api.ts";
import { transact } from "./schema.ts";
import type { JobChange, JobRow, Store, StoredDeliverables, WorkspaceRow } from "./store.ts";

const dayMs = 86_400_000;

export interface JobsDeps {
  readonly database: DatabaseSync;
  readonly store: Store;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly dailyLimits: Readonly<Record<JobTarget, number>>;
  readonly contextLimits: ContextLimits;
  /** Called after the change is in the file. */
  readonly onChange: (workspaceId: string) => void;
}

/** A workspace with its first job: a first message, or the idea of a workspace that has no messages. */
export type NewJob = {
  readonly title?: string | undefined;
  readonly target?: JobTarget | undefined;
} & (
  | { readonly text: string; readonly subtitle?: string; readonly legacyIdea?: undefined }
  | { readonly legacyIdea: string; readonly text?: undefined }
);

/** A credential that says it holds the lease of a workspace's job. */
export interface Holder {
  readonly workspaceId: string;
  readonly credentialId: string;
}

export interface GivenLease {
  readonly workspace: WorkspaceRow;
  readonly leaseExpiresAtMs: number;
}

export interface JobResult {
  /** The assistant message. */
  readonly text: string;
  readonly deliverables: StoredDeliverables;
}

/** Whom a stolen lease goes to: a holder that never works and never beats, nobody (back to the queue), or time (it expires now). */
export type LeaseThief = "other" | "nobody" | "time";

/**
 * The state machine of a job: `queued → leased → completed | failed`, and `leased → queued` when the lease expires. Every
 * method first puts expired leases back, so what is seen depends on the clock alone and never on a timer.
 * A workspace works on one job at a time; a message that comes while it is leased waits in a job of its own.
 */
export type Jobs = ReturnType<typeof createJobs>;

export function createJobs(deps: JobsDeps) {
  const change: Change = (work) => {
    putBackExpired(deps);
    const result = transact(deps.database, () => work(deps.clock.now()));
    if (result !== undefined) deps.onChange(result.workspaceId);
    return result;
  };
  return {
    releaseExpired: (): void => putBackExpired(deps),
    ...queueing(deps, change),
    ...working(deps, change),
    ...ending(deps, change),
  };
}

function putBackExpired(deps: JobsDeps): void {
  for (const workspaceId of deps.store.releaseExpired(deps.clock.now())) deps.onChange(workspaceId);
}

/** Runs a change in one transaction, then tells the page about the workspace that its result names. */
type Change = <T extends { readonly workspaceId: string } | undefined>(work: (nowMs: number) => T) => T;

function queueing(deps: JobsDeps, change: Change) {
  return {
    /** Gives the new workspace's id. @throws Refusal 429 past the day's limit */
    queue: (job: NewJob): string => change((nowMs) => addWorkspace(deps, job, nowMs)).workspaceId,
    /** @throws Refusal 404 for an unknown workspace; 429 past the day's limit */
    post: (workspaceId: string, text: string): void => {
      change((nowMs) => addMessage(deps, { workspaceId, text }, nowMs));
    },
  };
}

function working(deps: JobsDeps, change: Change) {
  const { store } = deps;
  return {
    /** The oldest queued job of the credential's kind, or undefined. */
    lease: (credential: Credential): GivenLease | undefined =>
      change((nowMs) => giveLease(deps, credential, nowMs)),
    /** Gives the lease's new end. @throws Refusal as `requireLease` */
    heartbeat: (holder: Holder): number =>
      change((nowMs) => {
        const leaseExpiresAtMs = nowMs + deps.leaseMs;
        store.updateJob(requireLease(store, holder), { leaseExpiresAtMs });
        return { workspaceId: holder.workspaceId, leaseExpiresAtMs };
      }).leaseExpiresAtMs,
    /** @throws Refusal as `requireLease` */
    context: (holder: Holder) => {
      putBackExpired(deps);
      const { jobId, workspaceId } = requireLease(store, holder);
      return buildContext({
        workspace: requireWorkspace(store, workspaceId),
        messages: store.messages(workspaceId),
        jobId,
        lastCompletedJobId: store.lastCompletedJobId(workspaceId),
        limits: deps.contextLimits,
      });
    },
    /** @throws Refusal as `requireLease` */
    saveSummary: (holder: Holder, summary: SummaryUpdate): void => {
      change(() => {
        requireLease(store, holder);
        store.saveSummary(holder.workspaceId, summary);
        return holder;
      });
    },
  };
}

function ending(deps: JobsDeps, change: Change) {
  const { store } = deps;
  return {
    /** `read` checks the payload, once the lease is known to be held. @throws Refusal as `requireLease`; what `read` throws */
    complete: (holder: Holder, read: () => JobResult): void => {
      change((nowMs) => {
        const job = requireLease(store, holder);
        const message = { ...read(), role: "assistant" as const, tookMs: nowMs - job.queuedAtMs };
        close(store, { job, change: { state: "completed" }, message }, nowMs);
        return holder;
      });
    },
    /** @throws Refusal as `requireLease` */
    fail: (holder: Holder, reason: string): void => {
      change((nowMs) => {
        const job = requireLease(store, holder);
        const message = { role: "failure" as const, text: reason };
        close(store, { job, change: { state: "failed", failure: reason }, message }, nowMs);
        return holder;
      });
    },
    /** Takes the lease away from its holder, for tests. @throws Refusal 404; 409 when the workspace's job is not leased */
    steal: (workspaceId: string, thief: LeaseThief): void => {
      change((nowMs) => {
        const job = store.presentJob(requireWorkspace(store, workspaceId).workspaceId);
        if (job?.state !== "leased") throw new Refusal(409, "the workspace's job is not leased");
        store.updateJob(job, thefts[thief](nowMs, deps.leaseMs));
        return { workspaceId };
      });
    },
  };
}

function addWorkspace(deps: JobsDeps, job: NewJob, nowMs: number): { readonly workspaceId: string } {
  const { target = "user", legacyIdea = null } = job;
  const title = job.title || null;
  const workspaceId = deps.store.addWorkspace({ title, target, legacyIdea }, nowMs);
  const jobId = addJob(deps, { workspaceId, target }, nowMs);
  if (job.legacyIdea !== undefined) return { workspaceId };
  const subtitle = job.subtitle === undefined ? {} : { subtitle: job.subtitle };
  deps.store.addMessage({ workspaceId, jobId, role: "user", text: job.text, ...subtitle }, nowMs);
  return { workspaceId };
}

function addMessage(
  deps: JobsDeps,
  message: { readonly workspaceId: string; readonly text: string },
  nowMs: number,
): WorkspaceRow {
  const workspace = requireWorkspace(deps.store, message.workspaceId);
  const jobId = deps.store.waitingJob(workspace.workspaceId)?.jobId ?? addJob(deps, workspace, nowMs);
  deps.store.addMessage({ ...message, jobId, role: "user" }, nowMs);
  deps.store.touch(workspace.workspaceId, nowMs);
  return workspace;
}

function addJob(
  deps: JobsDeps,
  workspace: { readonly workspaceId: string; readonly target: JobTarget },
  nowMs: number,
): number {
  const dayStartMs = nowMs - (nowMs % dayMs);
  const limit = deps.dailyLimits[workspace.target];
  if (deps.store.jobsSince(workspace.target, dayStartMs) >= limit) {
    const resetsAt = new Date(dayStartMs + dayMs).toISOString();
    const sentence = `The daily limit of ${limit} ${workspace.target} jobs is used up. It resets at ${resetsAt}.`;
    const retryAfter = String(Math.ceil((dayStartMs + dayMs - nowMs) / 1000));
    throw new Refusal(429, sentence, { headers: { "retry-after": retryAfter } });
  }
  return deps.store.addJob(workspace, nowMs);
}

function giveLease(deps: JobsDeps, credential: Credential, nowMs: number) {
  const job = deps.store.nextJob(credential.kind);
  if (job === undefined) return undefined;
  const leaseExpiresAtMs = nowMs + deps.leaseMs;
  deps.store.updateJob(job, {
    state: "leased",
    leases: job.leases + 1,
    credentialId: credential.credentialId,
    leaseExpiresAtMs,
  });
  deps.store.touch(job.workspaceId, nowMs);
  const workspace = requireWorkspace(deps.store, job.workspaceId);
  return { workspaceId: job.workspaceId, workspace, leaseExpiresAtMs };
}

interface Ending {
  readonly job: JobRow;
  readonly change: { readonly state: "completed" | "failed"; readonly failure?: string };
  readonly message: {
    readonly role: "assistant" | "failure";
    readonly text: string;
    readonly tookMs?: number;
    readonly deliverables?: StoredDeliverables;
  };
}

function close(store: Store, end: Ending, nowMs: number): void {
  const { workspaceId, jobId } = end.job;
  store.updateJob(end.job, end.change);
  store.addMessage({ workspaceId, jobId, ...end.message }, nowMs);
  store.touch(workspaceId, nowMs);
}

/** @throws Refusal 404 unknown workspace; 410 the caller's lease expired; 409 the caller holds no lease of it */
function requireLease(store: Store, holder: Holder): JobRow {
  requireWorkspace(store, holder.workspaceId);
  const job = store.presentJob(holder.workspaceId);
  const isHolder = job?.credentialId === holder.credentialId;
  if (job?.state === "leased" && isHolder) return job;
  if (job?.state === "queued" && isHolder) throw new Refusal(410, "the lease of this job has expired");
  throw new Refusal(409, "this key does not hold the lease of this workspace's job");
}

function requireWorkspace(store: Store, workspaceId: string): WorkspaceRow {
  const workspace = store.workspace(workspaceId);
  if (workspace === undefined) throw new Refusal(404, "there is no such workspace");
  return workspace;
}

const thefts: Readonly<Record<LeaseThief, (nowMs: number, leaseMs: number) => JobChange>> = {
  other: (nowMs, leaseMs) => ({ credentialId: "stolen", leaseExpiresAtMs: nowMs + leaseMs }),
  nobody: () => ({ state: "queued", credentialId: null }),
  time: (nowMs) => ({ leaseExpiresAtMs: nowMs }),
};
