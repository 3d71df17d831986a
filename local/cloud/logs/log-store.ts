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
   * Lines of a group with `startMs` ≤ time ≤ `endMs`, oldest first; undefined if the group does not exist.
   */
  lines(
    group: string,
    range: { readonly startMs: number; readonly endMs: number },
  ): readonly LogLine[] | undefined;
  groups(): readonly string[];
}

/**
 * CloudWatch Logs in memory: the functions' output, and Lambda's report after each invocation. Drops the
 * oldest lines of a group above `maxLines`.
 */
export function createLogStore(
  { functions, logGroups }: Pick<Stack, "functions" | "logGroups">,
  maxLines = 20_000,
): LogStore {
  const names = [...logGroups, ...functions.map(({ log }) => log.group)];
  const kept = new Map<string, LogLine[]>(names.map((name) => [name, []]));
  const byLabel = new Map(functions.map((fn) => [fn.label, fn]));
  let count = 0;

  function add(fn: FunctionResource, atMs: number, text: string): void {
    const { group } = fn.log;
    const lines = kept.get(group) ?? [];
    count += 1;
    lines.push({ id: count, atMs, group, stream: `[$LATEST]${fn.label}`, text });
    kept.set(group, lines.length > maxLines * 1.1 ? lines.slice(-maxLines) : lines);
  }

  return {
    observe(event) {
      const fn = "function" in event ? byLabel.get(event.function) : undefined;
      if (fn === undefined) return;
      if (event.kind === "log") add(fn, event.atMs, event.line);
      else if (isEnd(event) && fn.log.format === "JSON") add(fn, event.atMs, reportOf(fn, event));
    },
    lines: (group, { startMs, endMs }) =>
      kept.get(group)?.filter(({ atMs }) => atMs >= startMs && atMs <= endMs),
    groups: () => [...kept.keys()],
  };
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
