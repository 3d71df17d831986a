export interface HostRequest {
  readonly event: unknown;
  readonly timeoutMs: number;
}

/** Times are the process's own, from its start. */
export interface HostReply {
  readonly result?: unknown;
  /** What the handler threw. */
  readonly error?: string;
  /** The module was loaded. */
  readonly readyMs: number;
  /** The handler had answered. */
  readonly endedMs: number;
  readonly durationMs: number;
  /** Used by this invocation. */
  readonly cpuMs: number;
  /** Used since the process began. */
  readonly totalCpuMs: number;
  /** Of the whole process up to now. */
  readonly peakMemoryMb: number;
  /** HTTP requests sent: AWS actions by name, others by path. */
  readonly requests: Readonly<Record<string, number>>;
  /** Written to the log. */
  readonly lines: number;
  readonly logBytes: number;
  /** The custom metrics in it: name and dimension values, each once. */
  readonly metrics: readonly string[];
}
