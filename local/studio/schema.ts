import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import { RunnerError } from "../../lib/core/errors.ts";

const version = 1;

/**
 * Times are epoch milliseconds. A job keeps `credentialId` and `leaseExpiresAtMs` after the lease, so that a
 * late call gets the answer that its lease has expired. A user message belongs to the job that answers it, other
 * messages to the job that wrote them.
 */
const tables = `
  CREATE TABLE credentials (
    credentialId TEXT PRIMARY KEY,
    instanceId   TEXT NOT NULL UNIQUE,
    kind         TEXT NOT NULL CHECK (kind IN ('user', 'global')),
    name         TEXT NOT NULL,
    secretHash   TEXT NOT NULL,
    createdAtMs  INTEGER NOT NULL,
    revokedAtMs  INTEGER
  ) STRICT;
  CREATE TABLE workspaces (
    rank                  INTEGER PRIMARY KEY AUTOINCREMENT,
    workspaceId           TEXT NOT NULL UNIQUE,
    title                 TEXT,
    target                TEXT NOT NULL CHECK (target IN ('user', 'global')),
    legacyIdea            TEXT,
    summaryText           TEXT,
    summaryFromId         TEXT,
    summaryThroughId      TEXT,
    createdAtMs           INTEGER NOT NULL,
    updatedAtMs           INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE jobs (
    jobId            INTEGER PRIMARY KEY AUTOINCREMENT,
    workspaceId      TEXT NOT NULL REFERENCES workspaces (workspaceId),
    target           TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'completed', 'failed')),
    queuedAtMs       INTEGER NOT NULL,
    leases           INTEGER NOT NULL DEFAULT 0,
    credentialId     TEXT,
    leaseExpiresAtMs INTEGER,
    failure          TEXT
  ) STRICT;
  CREATE INDEX jobsByState ON jobs (state, target, jobId);
  CREATE INDEX jobsByWorkspace ON jobs (workspaceId, jobId);
  CREATE INDEX jobsByDay ON jobs (target, queuedAtMs);
  CREATE TABLE messages (
    rank         INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    workspaceId  TEXT NOT NULL REFERENCES workspaces (workspaceId),
    jobId        INTEGER NOT NULL REFERENCES jobs (jobId),
    role         TEXT NOT NULL CHECK (role IN ('user', 'assistant', 'failure')),
    text         TEXT NOT NULL,
    subtitle     TEXT,
    tookMs       INTEGER,
    deliverables TEXT,
    createdAtMs  INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX messagesByWorkspace ON messages (workspaceId, rank);
  PRAGMA user_version = ${version};
`;

/** What SQLite's result codes mean for the user (sqlite.org/rescode.html). */
const openProblems: Readonly<Record<number, string>> = {
  5: "is in use by another local Studio. Stop that one, or name another file",
  8: "cannot be written. Check its permissions, or name another file",
  11: "is damaged. Move it away or delete it, and start again: a new one is created",
  14: "cannot be opened. Check that its folder exists and that it can be written",
  26: "is not a SQLite file, or is damaged. Move it away or delete it, and start again: a new one is created",
};

/**
 * Opens or creates the file. Holds the lock until close, so that a second server on the same file is refused;
 * otherwise its page would miss half of the events. Does not change a file that cannot be used.
 * @throws RunnerError `config_invalid` that names the file and says what to do
 */
export function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (file !== ":memory:") makePrivate(file);
    database = new DatabaseSync(file, { timeout: 500 });
    prepare(database, file);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof RunnerError) throw error;
    throw new RunnerError("config_invalid", `${file} ${problemOf(error)}`, { cause: error });
  }
}

/**
 * Restricts the file to its owner before SQLite opens it. SQLite gives its other files the same permissions.
 */
function makePrivate(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) closeSync(openSync(file, "wx", 0o600));
  else if (found.isFile() && (found.mode & 0o077) !== 0) chmodSync(file, 0o600);
}

function prepare(database: DatabaseSync, file: string): void {
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  const damage = textOf(database, "PRAGMA quick_check(1)");
  if (damage !== "ok") throw new RunnerError("config_invalid", `${file} ${openProblems[11]}`);
  const found = Number(textOf(database, "PRAGMA user_version"));
  const isNew = found === 0 && textOf(database, "SELECT count(*) FROM sqlite_schema") === "0";
  if (!isNew && found !== version) {
    const advice = "Move it away or name another file";
    const what = `contains something other than a local Studio of version ${version}`;
    throw new RunnerError("config_invalid", `${file} ${what}. ${advice}`);
  }
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  if (isNew) transact(database, () => database.exec(tables));
}

const errorSchema = z.object({ errcode: z.number() });

function problemOf(error: unknown): string {
  const parsed = errorSchema.safeParse(error);
  // Extended codes contain the primary code in their low byte.
  const known = parsed.success ? openProblems[parsed.data.errcode & 0xff] : undefined;
  if (known !== undefined) return known;
  return `cannot be used: ${error instanceof Error ? error.message : String(error)}`;
}

function textOf(database: DatabaseSync, sql: string): string {
  return String(Object.values(database.prepare(sql).get() ?? {})[0]);
}

/** Runs `work` in a transaction. It is synchronous, so statements of two requests never mix. */
export function transact<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
