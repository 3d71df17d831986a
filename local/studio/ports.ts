import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../lib/core/clock.ts";
import type { ContextLimits } from "./context.ts";
import type { Changes } from "./events.ts";
import type { FaultBox } from "./faults.ts";
import type { Jobs } from "./jobs.ts";
import type { Journal } from "./journal.ts";
import type { Keys } from "./keys.ts";
import type { LeaseLog } from "./lease-log.ts";
import type { LeasePlan } from "./lease-plan.ts";
import type { JobTarget, StudioInfo } from "./page-api.ts";
import type { TableRoute } from "./page-server.ts";
import type { AccountCredentials } from "./sign-in.ts";
import type { Store } from "./store.ts";
import type { Workspaces } from "./workspaces.ts";

/**
 * The parts of the local Studio; server.ts makes them. A function names the few that it takes:
 * `Pick<StudioPorts, "jobs" | "keys">`.
 */
export interface StudioPorts {
  readonly clock: Clock;
  /** The clock of the journal and the lease log. */
  readonly observer: Clock;
  /** Aborts when the server closes. */
  readonly signal: AbortSignal;
  readonly database: DatabaseSync;
  readonly store: Store;
  readonly jobs: Jobs;
  readonly workspaces: Workspaces;
  readonly keys: Keys;
  readonly leases: LeaseLog;
  readonly plan: LeasePlan;
  readonly faults: FaultBox;
  readonly journal: Journal;
  readonly changes: Changes;
  /** Notifies the page that a workspace has changed. Called after the change has been committed. */
  readonly onChange: (workspaceId: string) => void;
  readonly dailyLimits: Readonly<Record<JobTarget, number>>;
  readonly contextLimits: ContextLimits;
  /** The account's credentials for signing in. */
  readonly credentials: AccountCredentials;
  /** The token for the management routes. */
  readonly accountToken: string;
  /** Whether the account may create global keys (on the real Studio: it has a document in `admins`). */
  readonly isAdmin: boolean;
  readonly info: StudioInfo;
  /** Routes of the runner's own pages. */
  readonly runnerPages: readonly TableRoute<unknown>[];
  /** Changes of runs (local/runs/feed.ts). Absent: the page is told of none. */
  readonly runFeed: { readonly subscribe: (listener: (change: unknown) => void) => () => void } | undefined;
}
