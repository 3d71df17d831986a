import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../lib/core/clock.ts";
import type { RunnerKind } from "../../lib/studio/studio.ts";
import { type ChangeListener, createChanges, repeat } from "./events.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createJobs, type Jobs, type LeaseThief } from "./jobs.ts";
import { createJournal, type JournalEntry } from "./journal.ts";
import { createLeaseLog, type LeaseRecord } from "./lease-log.ts";
import { createLeasePlan, type LeasePlan } from "./lease-plan.ts";
import { createKeys, type NewRunnerInstance } from "./keys.ts";
import { createListener, listen, type ListenerDeps, stop } from "./listener.ts";
import type { JobTarget, StudioInfo, WorkspaceSummary } from "./page-api.ts";
import type { TableRoute } from "./page-server.ts";
import { openDatabase } from "./schema.ts";
import type { AccountCredentials } from "./sign-in.ts";
import type { NewJob } from "./queueing.ts";
import { createStore, type JobRow, type MessageRow } from "./store.ts";
import { createWorkspaces } from "./workspaces.ts";

const reaperMs = 1_000;

export interface StudioOptions {
  /** The SQLite file; made when absent. ":memory:" keeps nothing. */
  readonly file: string;
  /** 0: any free one. */
  readonly port: number;
  readonly clock: Clock;
  /** By which the journal and the leases' log are timed. Default: `clock`, which tests may set apart from the machine's. */
  readonly observer?: Clock;
  /** 0 (included) to 1 (excluded): the dice of the faults. */
  readonly random: () => number;
  readonly leaseMs?: number;
  /** Jobs that may be queued in a UTC day. */
  readonly dailyLimits?: Partial<Readonly<Record<JobTarget, number>>>;
  /** What the management routes take as the account's token. */
  readonly accountToken: string;
  /** With what that token is had at `/v1/token`. Default: some that nobody can guess. */
  readonly credentials?: AccountCredentials;
  /** Whether that account may create global keys. */
  readonly admins?: boolean;
  readonly info: StudioInfo["model"];
  /** Routes of the runner's dashboard, which the page then links to. */
  readonly dashboard?: readonly TableRoute<unknown>[];
  /** Mounts `/_local/…` (control.ts). */
  readonly control?: boolean;
  /** Messages in `recentMessages` at most. */
  readonly recentMessages?: number;
  /** Estimated tokens of prior text above which a summary is asked for. */
  readonly priorTokens?: number;
}

export interface LocalStudio {
  readonly url: string;
  readonly port: number;
  /** With what its account's owner signs in, at `/v1/token` as at Firebase. */
  readonly credentials: AccountCredentials;
  /** `runnerToken` is shown here once and kept nowhere. */
  createKey(kind: RunnerKind, name?: string): NewRunnerInstance;
  /** @throws Refusal 404 */
  revokeKey(instanceId: string): void;
  /** Gives the workspace's id. @throws Refusal 429 past the day's limit */
  queueJob(job: NewJob): string;
  /** Another message for the workspace, in a job of its own. @throws Refusal 404, 429 */
  post(workspaceId: string, text: string): void;
  /** Takes the lease of a workspace's job away from its holder. @throws Refusal 404, 409 */
  steal(workspaceId: string, thief?: LeaseThief): void;
  /** What it does with the leases that it gives. */
  readonly plan: Pick<LeasePlan, "shorten" | "offerAgain">;
  /** Last changed first. */
  snapshot(): readonly WorkspaceSummary[];
  /** Oldest first. */
  jobs(): readonly JobRow[];
  /** A workspace's thread, oldest first: whose job each message is, or answers. */
  messages(workspaceId: string): readonly MessageRow[];
  /** Every lease that it gave, in order. */
  leases(): readonly LeaseRecord[];
  /** Null: it has none; `undefined`: there is no such workspace. */
  titleOf(workspaceId: string): string | null | undefined;
  /** Gives the function that ends the subscription. */
  onChange(listener: ChangeListener): () => void;
  readonly faults: Faults;
  /** Every request to the runner's API, in order of arrival. */
  requests(): readonly JournalEntry[];
  /** Ends every connection at once and releases the file. */
  close(): Promise<void>;
}

/**
 * Serves the runner's API (studio-api.md) and the page (page-api.ts) on 127.0.0.1.
 * @throws RunnerError `config_invalid` when the file cannot be used or the port cannot be had
 */
export async function startStudio(options: StudioOptions): Promise<LocalStudio> {
  const database = openDatabase(options.file);
  const closing = new AbortController();
  const { jobs, keys, workspaces, store, plan, leases, listener } = createParts(
    options,
    database,
    closing.signal,
  );
  const server = createListener(listener);
  const port = await listen(server, options.port).catch((error: unknown) => {
    database.close();
    throw error;
  });
  void reap(jobs, options.clock, closing.signal);
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    await stop(server);
    database.close();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    credentials: listener.credentials,
    createKey: keys.create,
    revokeKey: keys.revoke,
    queueJob: jobs.queue,
    post: (workspaceId, text) => jobs.post(workspaceId, text, true),
    steal: (workspaceId, thief = "other") => jobs.steal(workspaceId, thief),
    snapshot() {
      jobs.releaseExpired();
      return workspaces.list();
    },
    plan,
    jobs() {
      jobs.releaseExpired();
      return store.jobs();
    },
    messages: store.messages,
    leases: () => leases.records(),
    titleOf: workspaces.title,
    onChange: listener.changes.subscribe,
    faults: listener.faults,
    requests: listener.journal.entries,
    close: () => (closed ??= close()),
  };
}

function createParts(options: StudioOptions, database: DatabaseSync, signal: AbortSignal) {
  const { clock, observer = clock, leaseMs = 600_000, recentMessages = 20, priorTokens = 2_000 } = options;
  const dailyLimits = { user: 1_000, global: 1_000, ...options.dailyLimits };
  const store = createStore(database);
  const workspaces = createWorkspaces(store);
  const changes = createChanges();
  const onChange = (workspaceId: string): void => changes.emit(workspaces.summary(workspaceId));
  const contextLimits = { recentMessages, priorTokens };
  const leases = createLeaseLog(observer);
  const plan = createLeasePlan(leaseMs);
  const jobs = createJobs({ database, store, clock, leases, plan, dailyLimits, contextLimits, onChange });
  const keys = createKeys(database, clock);
  const faults = createFaults(options);
  const journal = createJournal(observer);
  const { dashboard = [] } = options;
  const info = { model: options.info, leaseMs, dailyLimits, dashboard: dashboard.length > 0 };
  const listener: ListenerDeps = {
    credentials: options.credentials ?? { apiKey: randomUUID(), refreshToken: randomUUID() },
    api: { jobs, keys, accountToken: options.accountToken, isAdmin: options.admins ?? false },
    page: { jobs, workspaces, info, onChange, more: dashboard },
    control: options.control === true ? { jobs, keys, faults, journal } : undefined,
    faults,
    journal,
    changes,
    clock,
    observer,
    signal,
  };
  return { jobs, keys, workspaces, store, plan, leases, listener };
}

/** Only tells the page early: whoever asks gets the state by the clock anyway, and the error of a file that fails. */
async function reap(jobs: Jobs, clock: Clock, signal: AbortSignal): Promise<void> {
  await repeat({ clock, everyMs: reaperMs, signal }, jobs.releaseExpired).catch(() => undefined);
}
