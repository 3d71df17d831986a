import type { LogLine } from "./log-store.ts";

export function parseJsonObject(text: string): object | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The value at "error.name" or "items.0". Also finds a key that contains dots. */
export function valueAt(value: unknown, path: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (Object.hasOwn(value, path)) return Reflect.get(value, path);
  const dot = path.indexOf(".");
  if (dot === -1) return undefined;
  const head = path.slice(0, dot);
  return Object.hasOwn(value, head) ? valueAt(Reflect.get(value, head), path.slice(dot + 1)) : undefined;
}

/** "2026-11-20 08:15:00.123", the format of times in Logs Insights. */
export const timeText = (atMs: number): string =>
  new Date(atMs).toISOString().replace("T", " ").replace("Z", "");

/**
 * The fields that Logs Insights discovers in a line: built-in ones, and those of a JSON line. Lambda's report
 * line is JSON too if the function logs JSON (`record.metrics.durationMs`).
 */
export function fieldsOf(line: LogLine): (name: string) => unknown {
  const json = parseJsonObject(line.text);
  const own: Readonly<Record<string, unknown>> = {
    "@timestamp": timeText(line.atMs),
    "@ingestionTime": timeText(line.atMs),
    "@message": line.text,
    "@logStream": line.stream,
    "@log": line.group,
    "@ptr": String(line.id),
  };
  return (name) => (name.startsWith("@") ? own[name] : valueAt(json, name));
}
