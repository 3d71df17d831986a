import type { RunnerKey, Secret } from "../core/secret.ts";
import type { Context, Lease } from "./schemas.ts";

/** What `/completeWorkspaceJob` carries besides the workspace id (studio-api.md, "Deliverables"). */
export interface CompletePayload {
  readonly assistantMessage: string;
  readonly files: readonly unknown[];
  readonly charts: readonly unknown[];
  readonly datasets: readonly unknown[];
  readonly svgs: readonly unknown[];
  readonly lists: readonly unknown[];
  readonly checklists: readonly unknown[];
}

export interface SummaryUpdate {
  readonly summaryText: string;
  readonly fromMessageId: string;
  readonly throughMessageId: string;
}

export interface Call {
  readonly key: RunnerKey;
  readonly signal: AbortSignal;
}

export interface JobCall extends Call {
  readonly workspaceId: string;
}

export interface HeartbeatAnswer {
  readonly leaseExpiresAtMs: number | undefined;
  /** A web page came with the 2xx: the lease counts as kept, but nobody knows whether Studio has seen the key. */
  readonly isPage?: boolean;
}

/**
 * The job routes of Studio's API. Every method throws RunnerErrors only: `lease_lost`, `key_refused`,
 * `studio_contract`, `studio_unavailable` (retryable), `studio_rejected`; or the signal's reason when aborted.
 */
export interface Studio {
  /** `undefined` when the queue is empty. Never repeated by itself: an unanswered call may have leased a job. */
  lease(call: Call): Promise<Lease | undefined>;
  context(call: JobCall): Promise<Context>;
  /** The lease's new end in epoch ms by our clock, where Studio tells it. Never repeated by itself: the heartbeat owns it. */
  heartbeat(call: JobCall): Promise<HeartbeatAnswer>;
  updateSummary(call: JobCall, update: SummaryUpdate): Promise<void>;
  complete(call: JobCall, payload: CompletePayload): Promise<void>;
  /** `reason` is cut to 500 characters, the API's cap. Studio ends the job for its user. */
  fail(call: JobCall, reason: string): Promise<void>;
}

export type RunnerKind = "user" | "global";

/** The management routes. They take an account token (a Firebase ID token), never a runner key. */
export interface StudioAdmin {
  createRunnerInstance(
    call: AdminCall,
    instance: { readonly kind: RunnerKind; readonly name?: string },
  ): Promise<{
    readonly instanceId: string;
    readonly key: RunnerKey;
    readonly kind: RunnerKind;
    readonly name: string;
  }>;
  revokeRunnerInstance(call: AdminCall, instanceId: string): Promise<void>;
  renameRunnerInstance(call: AdminCall, instanceId: string, name: string): Promise<void>;
}

export interface AdminCall {
  readonly accountToken: Secret;
  readonly signal: AbortSignal;
}
