import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import type { SummaryUpdate } from "../../lib/studio/studio.ts";
import type { Deliverables, JobTarget } from "./page-api.ts";

const targetSchema = z.enum(["user", "global"]);

const workspaceSchema = z.object({
  workspaceId: z.string(),
  title: z.string().nullable(),
  target: targetSchema,
  legacyIdea: z.string().nullable(),
  summaryText: z.string().nullable(),
  summaryFromId: z.string().nullable(),
  summaryThroughId: z.string().nullable(),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
});

const jobSchema = z.object({
  jobId: z.number(),
  workspaceId: z.string(),
  target: targetSchema,
  state: z.enum(["queued", "leased", "completed", "failed"]),
  queuedAtMs: z.number(),
  leases: z.number(),
  /** The holder of the present or last lease. */
  credentialId: z.string().nullable(),
  leaseExpiresAtMs: z.number().nullable(),
  failure: z.string().nullable(),
});

const messageSchema = z.object({
  id: z.string(),
  workspaceId: z.string(),
  jobId: z.number(),
  role: z.enum(["user", "assistant", "failure"]),
  text: z.string(),
  subtitle: z.string().nullable(),
  tookMs: z.number().nullable(),
  /** JSON */
  deliverables: z.string().nullable(),
  createdAtMs: z.number(),
});

const touchedSchema = z.object({ workspaceId: z.string(), jobId: z.number() });
const textSchema = z.object({ workspaceId: z.string(), text: z.string() });
const countSchema = z.object({ count: z.number() });

export type WorkspaceRow = Readonly<z.infer<typeof workspaceSchema>>;
export type JobRow = Readonly<z.infer<typeof jobSchema>>;
export type MessageRow = Readonly<z.infer<typeof messageSchema>>;

/** New deliverables: their caps have been checked, but they are not typed individually. */
export type StoredDeliverables = Readonly<Record<keyof Deliverables, readonly unknown[]>>;

export interface NewMessage {
  readonly workspaceId: string;
  readonly jobId: number;
  readonly role: MessageRow["role"];
  readonly text: string;
  readonly subtitle?: string;
  readonly tookMs?: number;
  readonly deliverables?: StoredDeliverables;
}

/** The fields of a job that can change. */
export type JobChange = Partial<
  Pick<JobRow, "state" | "leases" | "credentialId" | "leaseExpiresAtMs" | "failure">
>;

/**
 * Reads and writes rows. It contains no rules: jobs.ts has the state machine, workspaces.ts the page's view.
 */
export type Store = ReturnType<typeof createStore>;

export function createStore(database: DatabaseSync) {
  return {
    ...workspaceRows(database),
    ...jobRows(database),
    ...jobTimes(database),
    ...messageRows(database),
  };
}

function workspaceRows(database: DatabaseSync) {
  const insert = database.prepare(
    "INSERT INTO workspaces (workspaceId, title, target, legacyIdea, createdAtMs, updatedAtMs) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const find = database.prepare("SELECT * FROM workspaces WHERE workspaceId = ?");
  const list = database.prepare("SELECT * FROM workspaces ORDER BY updatedAtMs DESC, rank DESC");
  const touch = database.prepare("UPDATE workspaces SET updatedAtMs = ? WHERE workspaceId = ?");
  const summarize = database.prepare(
    "UPDATE workspaces SET summaryText = ?, summaryFromId = ?, summaryThroughId = ? WHERE workspaceId = ?",
  );
  const rename = database.prepare("UPDATE workspaces SET title = ? WHERE workspaceId = ?");
  const removals = ["messages", "jobs", "workspaces"].map((table) =>
    database.prepare(`DELETE FROM ${table} WHERE workspaceId = ?`),
  );
  return {
    /** Returns the new id. */
    addWorkspace(
      row: { readonly title: string | null; readonly target: JobTarget; readonly legacyIdea: string | null },
      nowMs: number,
    ): string {
      const workspaceId = `ws_${randomUUID()}`;
      insert.run(workspaceId, row.title, row.target, row.legacyIdea, nowMs, nowMs);
      return workspaceId;
    },
    workspace: (workspaceId: string): WorkspaceRow | undefined =>
      workspaceSchema.optional().parse(find.get(workspaceId)),
    /** Most recently changed first. */
    workspaces: (): readonly WorkspaceRow[] => z.array(workspaceSchema).parse(list.all()),
    touch(workspaceId: string, nowMs: number): void {
      touch.run(nowMs, workspaceId);
    },
    rename(workspaceId: string, title: string | null): void {
      rename.run(title, workspaceId);
    },
    /** Deletes the workspace with its jobs and messages. */
    removeWorkspace(workspaceId: string): void {
      for (const removal of removals) removal.run(workspaceId);
    },
    saveSummary(workspaceId: string, summary: SummaryUpdate): void {
      summarize.run(summary.summaryText, summary.fromMessageId, summary.throughMessageId, workspaceId);
    },
  };
}

function jobRows(database: DatabaseSync) {
  const insert = database.prepare(
    "INSERT INTO jobs (workspaceId, target, state, queuedAtMs) VALUES (?, ?, 'queued', ?)",
  );
  const update = database.prepare(
    "UPDATE jobs SET state = ?, leases = ?, credentialId = ?, leaseExpiresAtMs = ?, failure = ? WHERE jobId = ?",
  );
  const present = database.prepare(
    `SELECT * FROM jobs WHERE workspaceId = ?
     ORDER BY state IN ('completed', 'failed'), CASE WHEN state IN ('completed', 'failed') THEN -jobId ELSE jobId END LIMIT 1`,
  );
  const next = database.prepare(
    `SELECT * FROM jobs AS job WHERE state = 'queued' AND target = ? AND NOT EXISTS (
       SELECT 1 FROM jobs AS earlier
       WHERE earlier.workspaceId = job.workspaceId AND earlier.jobId < job.jobId AND earlier.state IN ('queued', 'leased')
     ) ORDER BY jobId LIMIT 1`,
  );
  const waiting = database.prepare(
    "SELECT * FROM jobs WHERE workspaceId = ? AND state = 'queued' ORDER BY jobId DESC LIMIT 1",
  );
  const lastCompleted = database.prepare(
    "SELECT coalesce(max(jobId), 0) AS count FROM jobs WHERE workspaceId = ? AND state = 'completed'",
  );
  const list = database.prepare("SELECT * FROM jobs ORDER BY jobId");
  return {
    /** Oldest first. */
    jobs: (): readonly JobRow[] => z.array(jobSchema).parse(list.all()),
    addJob: (
      workspace: { readonly workspaceId: string; readonly target: JobTarget },
      nowMs: number,
    ): number => Number(insert.run(workspace.workspaceId, workspace.target, nowMs).lastInsertRowid),
    updateJob(before: JobRow, change: JobChange): void {
      const { state, leases, credentialId, leaseExpiresAtMs, failure, jobId } = { ...before, ...change };
      update.run(state, leases, credentialId, leaseExpiresAtMs, failure, jobId);
    },
    /** The oldest open job of the workspace, or its newest one if none is open. */
    presentJob: (workspaceId: string) => jobOf(present.get(workspaceId)),
    /** The oldest queued job, except those that wait for an earlier job of their workspace. */
    nextJob: (target: JobTarget) => jobOf(next.get(target)),
    /** The job that a new message of the workspace can join. */
    waitingJob: (workspaceId: string) => jobOf(waiting.get(workspaceId)),
    /** 0 if there is none. */
    lastCompletedJobId: (workspaceId: string): number =>
      countSchema.parse(lastCompleted.get(workspaceId)).count,
  };
}

const jobOf = (row: unknown): JobRow | undefined => jobSchema.optional().parse(row);

/** Statements over all workspaces that depend on the time. */
function jobTimes(database: DatabaseSync) {
  const since = database.prepare("SELECT count(*) AS count FROM jobs WHERE target = ? AND queuedAtMs >= ?");
  const release = database.prepare(
    "UPDATE jobs SET state = 'queued' WHERE state = 'leased' AND leaseExpiresAtMs <= ? RETURNING workspaceId, jobId",
  );
  return {
    jobsSince: (target: JobTarget, sinceMs: number): number =>
      countSchema.parse(since.get(target, sinceMs)).count,
    /** Returns the jobs whose lease ended at or before `nowMs`. */
    releaseExpired: (nowMs: number): readonly z.infer<typeof touchedSchema>[] =>
      z.array(touchedSchema).parse(release.all(nowMs)),
  };
}

function messageRows(database: DatabaseSync) {
  const insert = database.prepare(
    "INSERT INTO messages (id, workspaceId, jobId, role, text, subtitle, tookMs, deliverables, createdAtMs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const list = database.prepare("SELECT * FROM messages WHERE workspaceId = ? ORDER BY rank");
  const newest = database.prepare(
    "SELECT * FROM messages WHERE workspaceId = ? AND role = 'user' ORDER BY rank DESC LIMIT 1",
  );
  const texts = database.prepare(
    "SELECT workspaceId, group_concat(text, char(10)) AS text FROM messages GROUP BY workspaceId",
  );
  const replace = database.prepare("UPDATE messages SET deliverables = ? WHERE id = ?");
  return {
    addMessage(message: NewMessage, nowMs: number): void {
      const { workspaceId, jobId, role, text, subtitle = null, tookMs = null, deliverables } = message;
      const content = deliverables === undefined ? null : JSON.stringify(deliverables);
      insert.run(`msg_${randomUUID()}`, workspaceId, jobId, role, text, subtitle, tookMs, content, nowMs);
    },
    /** Oldest first. */
    messages: (workspaceId: string): readonly MessageRow[] =>
      z.array(messageSchema).parse(list.all(workspaceId)),
    newestUserMessage: (workspaceId: string): MessageRow | undefined =>
      messageSchema.optional().parse(newest.get(workspaceId)),
    /** All messages of each workspace as one text. */
    texts: (): ReadonlyMap<string, string> =>
      new Map(
        z
          .array(textSchema)
          .parse(texts.all())
          .map(({ workspaceId, text }) => [workspaceId, text]),
      ),
    replaceDeliverables(messageId: string, deliverables: Deliverables): void {
      replace.run(JSON.stringify(deliverables), messageId);
    },
  };
}
