import type { Log, LogEvent, LogFields } from "../../lib/core/log.ts";
import type { Metrics } from "../../lib/core/metrics.ts";

export interface RecordedLog extends Log {
  readonly events: readonly LogEvent[];
  readonly lines: readonly { readonly event: LogEvent; readonly fields: LogFields }[];
}

/** A log that keeps its lines for the test. */
export function recordingLog(): RecordedLog {
  const lines: { event: LogEvent; fields: LogFields }[] = [];
  const withContext = (context: LogFields): Log => {
    const write = (event: LogEvent, fields: LogFields = {}): void => {
      lines.push({ event, fields: { ...context, ...fields } });
    };
    return { info: write, warn: write, error: write, with: (more) => withContext({ ...context, ...more }) };
  };
  return {
    ...withContext({}),
    lines,
    get events() {
      return lines.map(({ event }) => event);
    },
  };
}

export interface RecordedMetrics extends Metrics {
  /** `Name{dimension=value} value`, in order. */
  readonly emitted: readonly string[];
}

export function recordingMetrics(): RecordedMetrics {
  const emitted: string[] = [];
  return {
    emitted,
    emit: (name, dimensions, value) => {
      const shown = Object.entries<string>(dimensions).map(([key, of]) => `${key}=${of}`);
      emitted.push(`${name}{${shown.join(",")}} ${value}`);
    },
  };
}
