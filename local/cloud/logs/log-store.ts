import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import { CloudError } from "../errors.ts";
import { isEnd, type CloudEvent, type EndEvent } from "../events.ts";
import type { FunctionResource, Stack } from "../resources.ts";

export interface LogLine {
  /** Unique in the store, and ascending. */
  readonly id: number;
  readonly atMs: number;
  readonly group: string;
  readonly stream: string;
  readonly text: string;
}

export interface LogStore {
  observe(event: CloudEvent): void;
  /**
   * Lines of a group with `startMs` ≤ time ≤ `endMs`, in the order of their arrival; undefined if the group does
   * not exist.
   */
  lines(
    group: string,
    range: { readonly startMs: number; readonly endMs: number },
  ): readonly LogLine[] | undefined;
  /** Later lines are dropped. */
  close(): void;
}

export interface LogStoreOptions {
  /** A SQLite file, created if absent. Default: in memory. */
  readonly file?: string | undefined;
  /** The oldest lines of a group above this number are dropped. Default: 20,000. */
  readonly maxLines?: number;
}

const table = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = OFF;
  CREATE TABLE IF NOT EXISTS lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    atMs INTEGER NOT NULL,
    "group" TEXT NOT NULL,
    stream TEXT NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS byGroup ON lines ("group", id);
`;

const linesSchema = z.array(
  z.object({ id: z.number(), atMs: z.number(), group: z.string(), stream: z.string(), text: z.string() }),
);

/**
 * CloudWatch Logs: the functions' output, and Lambda's report after each invocation.
 * @throws CloudError if the file cannot be used
 */
export function createLogStore(
  { functions, logGroups }: Pick<Stack, "functions" | "logGroups">,
  { file = ":memory:", maxLines = 20_000 }: LogStoreOptions = {},
): LogStore {
  const names = [...logGroups, ...functions.map(({ log }) => log.group)];
  const byLabel = new Map(functions.map((fn) => [fn.label, fn]));
  const database = open(file);
  const insert = database.prepare('INSERT INTO lines (atMs, "group", stream, text) VALUES (?, ?, ?, ?)');
  const drop = database.prepare(
    'DELETE FROM lines WHERE "group" = ?1 AND id <= (SELECT id FROM lines WHERE "group" = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)',
  );
  const find = database.prepare('SELECT * FROM lines WHERE "group" = ? AND atMs BETWEEN ? AND ? ORDER BY id');
  const checkAfter = Math.ceil(maxLines / 10);

  function add(fn: FunctionResource, atMs: number, text: string): void {
    const { group } = fn.log;
    const { lastInsertRowid } = insert.run(atMs, group, `[$LATEST]${fn.label}`, text);
    if (Number(lastInsertRowid) % checkAfter === 0) for (const name of names) drop.run(name, maxLines);
  }

  return {
    observe(event) {
      const fn = "function" in event ? byLabel.get(event.function) : undefined;
      if (fn === undefined || !database.isOpen) return;
      if (event.kind === "log") add(fn, event.atMs, event.line);
      else if (isEnd(event) && fn.log.format === "JSON") add(fn, event.atMs, reportOf(fn, event));
    },
    lines: (group, { startMs, endMs }) =>
      names.includes(group) ? linesSchema.parse(find.all(group, startMs, endMs)) : undefined,
    close: () => database.close(),
  };
}

function open(file: string): DatabaseSync {
  try {
    if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(file);
    database.exec(table);
    return database;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CloudError(`the log lines in ${file} cannot be read (${why}): delete the file`, {
      cause: error,
    });
  }
}

const statuses: Readonly<Record<string, string>> = { end: "success", timeout: "timeout" };

/** https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report */
function reportOf(fn: FunctionResource, event: EndEvent): string {
  const { kind, requestId, durationMs, maxMemoryMb = fn.memoryMb } = event;
  return JSON.stringify({
    time: new Date(event.atMs).toISOString(),
    type: "platform.report",
    record: {
      requestId,
      metrics: {
        durationMs,
        billedDurationMs: Math.ceil(durationMs),
        memorySizeMB: fn.memoryMb,
        maxMemoryUsedMB: Math.round(maxMemoryMb),
      },
      status: statuses[kind] ?? "error",
    },
  });
}
