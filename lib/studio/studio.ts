import type { RunnerKey, Secret } from "../core/secret.ts";
import type { Context, Lease } from "./schemas.ts";

/** The body of `/completeWorkspaceJob` besides the workspace id (Studio API, Complete job). */
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
  /** The 2xx came with an HTML page: the lease counts as kept, but it is unknown whether Studio saw the key. */
  readonly isPage?: boolean;
}

/**
 * The job routes of Studio's API. Every method throws RunnerErrors only: `lease_lost`, `key_refused`,
 * `studio_contract`, `studio_unavailable` (retryable), `studio_rejected`; or the signal's reason when aborted.
 */
export interface Studio {
  /** `undefined` when the queue is empty. Never retried: an unanswered call may have leased a job. */
  lease(call: Call): Promise<Lease | undefined>;
  context(call: JobCall): Promise<Context>;
  /** The lease's new expiry in epoch ms by our clock, if Studio returns it. Never retried here: the heartbeat's timer does that. */
  heartbeat(call: JobCall): Promise<HeartbeatAnswer>;
  updateSummary(call: JobCall, update: SummaryUpdate): Promise<void>;
  complete(call: JobCall, payload: CompletePayload): Promise<void>;
  /** `reason` is cut to 500 characters, the API's cap. */
  fail(call: JobCall, reason: string): Promise<void>;
}

export type RunnerKind = "user" | "global";

/** The management routes. They need an account token (a Firebase ID token), not a runner key. */
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
