import type { SummaryUpdate } from "../../lib/studio/studio.ts";
import { buildContext } from "./context.ts";
import { Refusal } from "./http.ts";
import type { Credential } from "./keys.ts";
import type { StudioPorts } from "./ports.ts";
import {
  addMessage,
  addRetry,
  addWorkspace,
  type NewJob,
  removeWorkspace,
  requireWorkspace,
} from "./queueing.ts";
import { transact } from "./schema.ts";
import type { JobChange, JobRow, Store, StoredDeliverables, WorkspaceRow } from "./store.ts";

type JobPorts = Pick<
  StudioPorts,
  "database" | "store" | "clock" | "leases" | "plan" | "dailyLimits" | "contextLimits" | "onChange"
>;

/** A credential that claims to hold the lease of a workspace's job. */
export interface Holder {
  readonly workspaceId: string;
  readonly credentialId: string;
}

/** The lease under which a call took effect. */
export interface HeldLease {
  readonly workspaceId: string;
  readonly jobId: number;
  /** 1 for the job's first lease. */
  readonly lease: number;
  readonly leaseMs: number;
}

export interface GivenLease extends HeldLease {
  readonly workspace: WorkspaceRow;
  readonly leaseExpiresAtMs: number;
}

export interface JobResult {
  /** The assistant message. */
  readonly text: string;
  readonly deliverables: StoredDeliverables;
}

/**
 * Who gets a stolen lease. `other`: a holder that never works and sends no heartbeats. `nobody`: the job
 * returns to the queue. `time`: the lease expires now.
 */
export type LeaseThief = "other" | "nobody" | "time";

/**
 * The state machine of a job: `queued → leased → completed | failed`, and `leased → queued` when the lease
 * expires. Every method first requeues jobs with expired leases, so the result depends on the clock and not
 * on a timer. A workspace has one active job at a time; a message that arrives while it is leased waits in
 * another job.
 */
export type Jobs = ReturnType<typeof createJobs>;

export function createJobs(ports: JobPorts) {
  const change: Change = (work) => {
    putBackExpired(ports);
    const result = transact(ports.database, () => work(ports.clock.now()));
    if (result !== undefined) ports.onChange(result.workspaceId);
    return result;
  };
  return {
    releaseExpired: (): void => putBackExpired(ports),
    ...queueing(ports, change),
    ...working(ports, change),
    ...ending(ports, change),
  };
}

function putBackExpired(ports: Pick<JobPorts, "store" | "clock" | "leases" | "onChange">): void {
  for (const { workspaceId, jobId } of ports.store.releaseExpired(ports.clock.now())) {
    ports.leases.end(jobId, "expired");
    ports.onChange(workspaceId);
  }
}

/** Runs a change in one transaction, then notifies the page about the workspace in its result. */
type Change = <T extends { readonly workspaceId: string } | undefined>(work: (nowMs: number) => T) => T;

function queueing(ports: Pick<JobPorts, "store" | "dailyLimits">, change: Change) {
  return {
    /** Returns the new workspace's id. @throws Refusal 429 above the day's limit */
    queue: (job: NewJob): string => change((nowMs) => addWorkspace(ports, job, nowMs)).workspaceId,
    /**
     * `isOwnJob`: gives the message a job of its own, instead of adding it to a waiting one.
     * @throws Refusal 404 for an unknown workspace; 429 above the day's limit
     */
    post: (workspaceId: string, text: string, isOwnJob = false): void => {
      change((nowMs) => addMessage(ports, { workspaceId, text, isOwnJob }, nowMs));
    },
    /** @throws Refusal as `addRetry` */
    retry: (workspaceId: string): void => {
      change((nowMs) => addRetry(ports, workspaceId, nowMs));
    },
    /** Deletes the workspace. @throws Refusal as `removeWorkspace` */
    remove: (workspaceId: string): void => {
      change(() => removeWorkspace(ports, workspaceId));
    },
  };
}

function working(ports: JobPorts, change: Change) {
  const { store } = ports;
  return {
    /** Leases the oldest queued job of the credential's kind, if any. */
    lease: (credential: Credential): GivenLease | undefined =>
      change((nowMs) => giveLease(ports, credential, nowMs)),
    /** Returns the lease's new end. @throws Refusal as `requireLease` */
    heartbeat: (holder: Holder): HeldLease & { readonly leaseExpiresAtMs: number } =>
      change((nowMs) => {
        const job = requireLease(store, holder);
        const held = heldLease(ports, job);
        const leaseExpiresAtMs = nowMs + held.leaseMs;
        store.updateJob(job, { leaseExpiresAtMs });
        return { ...held, leaseExpiresAtMs };
      }),
    /** @throws Refusal as `requireLease` */
    context: (holder: Holder) => {
      putBackExpired(ports);
      const job = requireLease(store, holder);
      const { jobId, workspaceId } = job;
      const context = buildContext({
        workspace: requireWorkspace(store, workspaceId),
        messages: store.messages(workspaceId),
        jobId,
        lastCompletedJobId: store.lastCompletedJobId(workspaceId),
        limits: ports.contextLimits,
      });
      return { context, held: heldLease(ports, job) };
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

function ending(ports: Pick<JobPorts, "store" | "leases" | "plan">, change: Change) {
  const { store } = ports;
  return {
    /**
     * `read` validates the payload. It is called only if the lease is held.
     * @throws Refusal as `requireLease`; what `read` throws
     */
    complete: (holder: Holder, read: () => JobResult): HeldLease =>
      change((nowMs) => {
        const job = requireLease(store, holder);
        const message = { ...read(), role: "assistant" as const, tookMs: nowMs - job.queuedAtMs };
        return close(ports, { job, change: { state: "completed" }, message }, nowMs);
      }),
    /** @throws Refusal as `requireLease` */
    fail: (holder: Holder, reason: string): HeldLease =>
      change((nowMs) => {
        const job = requireLease(store, holder);
        const message = { role: "failure" as const, text: reason };
        return close(ports, { job, change: { state: "failed", failure: reason }, message }, nowMs);
      }),
    /**
     * Takes the lease away from its holder, for tests.
     * @throws Refusal 404; 409 if the workspace's job is not leased
     */
    steal: (workspaceId: string, thief: LeaseThief): void => {
      change((nowMs) => {
        const job = store.presentJob(requireWorkspace(store, workspaceId).workspaceId);
        if (job?.state !== "leased") throw new Refusal(409, "the workspace's job is not leased");
        store.updateJob(job, thefts[thief](nowMs, ports.plan.lengthOf(workspaceId)));
        ports.leases.end(job.jobId, "stolen");
        return { workspaceId };
      });
    },
  };
}

function giveLease(
  ports: Pick<JobPorts, "store" | "leases" | "plan">,
  { credentialId, kind }: Credential,
  nowMs: number,
): GivenLease | undefined {
  const { store, plan, leases } = ports;
  const doubled = plan.doubled(credentialId, store.presentJob);
  if (doubled) leases.end(doubled.jobId, doubled.credentialId === credentialId ? "doubled" : "moved");
  const job = doubled ?? store.nextJob(kind);
  if (job === undefined) return undefined;
  plan.onLease(job.workspaceId);
  const held = heldLease(ports, { ...job, leases: job.leases + 1 });
  const leaseExpiresAtMs = nowMs + held.leaseMs;
  store.updateJob(job, { state: "leased", leases: held.lease, credentialId, leaseExpiresAtMs });
  store.touch(job.workspaceId, nowMs);
  leases.begin({ ...held, credentialId });
  return { ...held, workspace: requireWorkspace(store, job.workspaceId), leaseExpiresAtMs };
}

function heldLease({ plan }: Pick<JobPorts, "plan">, { workspaceId, jobId, leases }: JobRow): HeldLease {
  return { workspaceId, jobId, lease: leases, leaseMs: plan.lengthOf(workspaceId) };
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

function close(ports: Pick<JobPorts, "store" | "leases" | "plan">, end: Ending, nowMs: number): HeldLease {
  const { store, leases } = ports;
  const { workspaceId, jobId } = end.job;
  store.updateJob(end.job, end.change);
  store.addMessage({ workspaceId, jobId, ...end.message }, nowMs);
  store.touch(workspaceId, nowMs);
  leases.end(jobId, end.change.state);
  return heldLease(ports, end.job);
}

/**
 * @throws Refusal 404 for an unknown workspace, 410 if the caller's lease has expired, 409 if the caller does
 * not hold its lease
 */
function requireLease(store: Store, holder: Holder): JobRow {
  requireWorkspace(store, holder.workspaceId);
  const job = store.presentJob(holder.workspaceId);
  const isHolder = job?.credentialId === holder.credentialId;
  if (job?.state === "leased" && isHolder) return job;
  if (job?.state === "queued" && isHolder) throw new Refusal(410, "the lease of this job has expired");
  throw new Refusal(409, "this key does not hold the lease of this workspace's job");
}

const thefts: Readonly<Record<LeaseThief, (nowMs: number, leaseMs: number) => JobChange>> = {
  other: (nowMs, leaseMs) => ({ credentialId: "stolen", leaseExpiresAtMs: nowMs + leaseMs }),
  nobody: () => ({ state: "queued", credentialId: null }),
  time: (nowMs) => ({ leaseExpiresAtMs: nowMs }),
};
