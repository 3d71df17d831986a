export interface HostRequest {
  readonly event: unknown;
  readonly timeoutMs: number;
}

export interface HostReply {
  readonly result?: unknown;
  /** The error that the handler threw. */
  readonly error?: string;
  /** When the module was loaded, from the start of the process. */
  readonly readyMs: number;
  readonly durationMs: number;
  /** CPU time of this invocation. */
  readonly cpuMs: number;
  /** Peak memory of the whole process so far. */
  readonly peakMemoryMb: number;
  /** The number of HTTP requests sent: AWS actions by name, others by path. */
  readonly requests: Readonly<Record<string, number>>;
  /** Lines written to the log. */
  readonly lines: number;
  readonly logBytes: number;
  /** The distinct custom metrics in the log: name and dimension values. */
  readonly metrics: readonly string[];
}
