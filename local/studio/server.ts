import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../lib/core/clock.ts";
import { stop } from "../http.ts";
import type { RunnerKind } from "../../lib/studio/studio.ts";
import { type ChangeListener, createChanges, repeat } from "./events.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createJobs, type Jobs, type LeaseThief } from "./jobs.ts";
import { createJournal, type JournalEntry } from "./journal.ts";
import { createLeaseLog, type LeaseRecord } from "./lease-log.ts";
import { createLeasePlan, type LeasePlan } from "./lease-plan.ts";
import { createKeys, type NewRunnerInstance } from "./keys.ts";
import { createListener, listenOn } from "./listener.ts";
import type { JobTarget, StudioInfo, WorkspaceSummary } from "./page-api.ts";
import type { TableRoute } from "./page-server.ts";
import type { StudioPorts } from "./ports.ts";
import { openDatabase } from "./schema.ts";
import type { AccountCredentials } from "./sign-in.ts";
import type { NewJob } from "./queueing.ts";
import { createStore, type JobRow, type MessageRow } from "./store.ts";
import { createWorkspaces } from "./workspaces.ts";

const reaperMs = 1_000;

export interface StudioOptions {
  /** The SQLite file, created if absent. ":memory:" stores nothing. */
  readonly file: string;
  /** 0: any free port. */
  readonly port: number;
  readonly clock: Clock;
  /**
   * The clock of the journal and the lease log. Default: `clock`, which tests may set to another time than
   * the machine's.
   */
  readonly observer?: Clock;
  /** 0 (included) to 1 (excluded), for faults. */
  readonly random: () => number;
  readonly leaseMs?: number;
  /** Maximum number of jobs that can be queued per UTC day. */
  readonly dailyLimits?: Partial<Readonly<Record<JobTarget, number>>>;
  /** The account's token for the management routes. */
  readonly accountToken: string;
  /** The credentials that get this token at `/v1/token`. Default: random ones. */
  readonly credentials?: AccountCredentials;
  /** Whether the account may create global keys. */
  readonly admins?: boolean;
  readonly info: StudioInfo["model"];
  /** Routes of the runner's own pages, to which Studio's page then links. */
  readonly runnerPages?: readonly TableRoute<unknown>[];
  /** Changes of runs, which Studio's page is told of. */
  readonly runFeed?: StudioPorts["runFeed"];
  /** Adds the routes `/_local/…` (control.ts). */
  readonly control?: boolean;
  /** Maximum number of messages in `recentMessages`. */
  readonly recentMessages?: number;
  /** Asks for a summary if the prior text has more estimated tokens than this. */
  readonly priorTokens?: number;
}

export interface LocalStudio {
  readonly url: string;
  readonly port: number;
  /** The account's credentials for signing in at `/v1/token`, as at Firebase. */
  readonly credentials: AccountCredentials;
  /** Returns `runnerToken` this one time; it is not stored. */
  createKey(kind: RunnerKind, name?: string): NewRunnerInstance;
  /** @throws Refusal 404 */
  revokeKey(instanceId: string): void;
  /** Returns the workspace's id. @throws Refusal 429 above the day's limit */
  queueJob(job: NewJob): string;
  /** Adds a message to the workspace in a job of its own. @throws Refusal 404, 429 */
  post(workspaceId: string, text: string): void;
  /** Takes the lease of a workspace's job away from its holder. @throws Refusal 404, 409 */
  steal(workspaceId: string, thief?: LeaseThief): void;
  /** Changes how jobs are leased. */
  readonly plan: Pick<LeasePlan, "shorten" | "offerAgain">;
  /** Most recently changed first. */
  snapshot(): readonly WorkspaceSummary[];
  /** Oldest first. */
  jobs(): readonly JobRow[];
  /** A workspace's messages, oldest first, with the job that each belongs to. */
  messages(workspaceId: string): readonly MessageRow[];
  /** Every lease so far, in order. */
  leases(): readonly LeaseRecord[];
  /** The workspace's title, or the start of its newest message. `undefined`: it does not exist. */
  nameOf(workspaceId: string): string | undefined;
  /** Returns a function that ends the subscription. */
  onChange(listener: ChangeListener): () => void;
  readonly faults: Faults;
  /** Every request to the runner's API, in order of arrival. */
  requests(): readonly JournalEntry[];
  /** Closes every connection at once and releases the file. */
  close(): Promise<void>;
}

/**
 * Serves the runner's API and the page (page-api.ts) on 127.0.0.1.
 * @throws RunnerError `config_invalid` if the file cannot be used or the port is not available
 */
export async function startStudio(options: StudioOptions): Promise<LocalStudio> {
  const database = openDatabase(options.file);
  const closing = new AbortController();
  const ports = createPorts(options, database, closing.signal);
  const { jobs, keys, workspaces, store } = ports;
  const server = createListener(ports, options.control ?? false);
  const port = await listenOn(server, options.port).catch((error: unknown) => {
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
    credentials: ports.credentials,
    createKey: keys.create,
    revokeKey: keys.revoke,
    queueJob: jobs.queue,
    post: (workspaceId, text) => jobs.post(workspaceId, text, true),
    steal: (workspaceId, thief = "other") => jobs.steal(workspaceId, thief),
    snapshot() {
      jobs.releaseExpired();
      return workspaces.list();
    },
    plan: ports.plan,
    jobs() {
      jobs.releaseExpired();
      return store.jobs();
    },
    messages: store.messages,
    leases: () => ports.leases.records(),
    nameOf: (workspaceId) => workspaces.name(workspaceId),
    onChange: ports.changes.subscribe,
    faults: ports.faults,
    requests: ports.journal.entries,
    close: () => (closed ??= close()),
  };
}

function createPorts(options: StudioOptions, database: DatabaseSync, signal: AbortSignal): StudioPorts {
  const { clock, observer = clock, leaseMs = 600_000, recentMessages = 20, priorTokens = 2_000 } = options;
  const dailyLimits = { user: 1_000, global: 1_000, ...options.dailyLimits };
  const store = createStore(database);
  const workspaces = createWorkspaces(store);
  const changes = createChanges();
  const onChange = (workspaceId: string): void => changes.emit(workspaceId, workspaces.summary(workspaceId));
  const { runnerPages = [], accountToken } = options;
  const made = {
    clock,
    observer,
    signal,
    database,
    store,
    workspaces,
    changes,
    onChange,
    dailyLimits,
    contextLimits: { recentMessages, priorTokens },
    leases: createLeaseLog(observer),
    plan: createLeasePlan(leaseMs),
  };
  return {
    ...made,
    jobs: createJobs(made),
    keys: createKeys(database, clock),
    faults: createFaults(clock, options.random),
    journal: createJournal(observer),
    credentials: options.credentials ?? { apiKey: randomUUID(), refreshToken: randomUUID() },
    accountToken,
    isAdmin: options.admins ?? false,
    info: { model: options.info, leaseMs, dailyLimits, runnerPages: runnerPages.length > 0 },
    runnerPages,
    runFeed: options.runFeed,
  };
}

/**
 * Only notifies the page earlier. Every request computes the state from the clock anyway, and reports an
 * error of the file.
 */
async function reap(jobs: Jobs, clock: Clock, signal: AbortSignal): Promise<void> {
  await repeat({ clock, everyMs: reaperMs, signal }, jobs.releaseExpired).catch(() => undefined);
}
