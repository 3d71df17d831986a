import type { AttemptEvent } from "../../lib/adapters/lambda.ts";
import { parseLogLine, isMetricLine, type LogLine } from "../../lib/core/log-line.ts";
import type { LogEvent } from "../../lib/core/log.ts";
import type { MetricName } from "../../lib/core/metrics.ts";
import type { CloudEvent } from "../../local/cloud/events.ts";

export type Role = "dispatcher" | "processor" | "recovery";

export interface Invocation {
  readonly requestId: string;
  readonly pid: number;
  /** The process's name in its calls. */
  readonly environment: string;
  readonly role: Role;
}

/** Times are epoch ms. */
export interface TimedInvocation {
  readonly environment: string;
  readonly fromMs: number;
  /** Absent: still running. */
  readonly toMs?: number;
  readonly isBroken: boolean;
}

/** One invocation of the processor, and the attempt in its event. */
export type Attempt = TimedInvocation & Pick<AttemptEvent, "runId" | "attempt">;

export interface Watch {
  observe(event: CloudEvent): void;
  /** The running invocations. */
  running(): readonly Invocation[];
  /** The number of invocations so far, by role. */
  begun(role: Role): number;
  /** The number of invocations that ended other than with an answer, by role and kind. */
  broken(): ReadonlyMap<string, number>;
  /** In order of their start, like `attempts`. */
  invocations(): readonly TimedInvocation[];
  /** Invocations of the processor for a run. */
  attempts(): readonly Attempt[];
  roleOf(environment: string): Role;
  /** Errors that handlers threw and that are not the runner's own, as `name: message`. These are bugs. */
  defects(): readonly string[];
  /** Failed invocations for a run, except those that ended because of a bug. */
  brokenAttempts(runId: string): number;
  /** Call for an event for a run that Lambda has accepted. */
  called(requestId: string, event: AttemptEvent): void;
  isCalled(attempt: Pick<AttemptEvent, "runId" | "attempt">): boolean;
  /**
   * The number of events for a run that could not be sent, or whose attempt did not start within `withinMs`.
   */
  unstarted(runId: string, withinMs: number): number;
  /** Log lines with that name about the run. */
  linesOf(runId: string, name: LogEvent): number;
  /** The sum of all values of a metric. */
  metric(name: MetricName): number;
  /** The functions' log lines, by event name. */
  lines(): ReadonlyMap<string, number>;
  onBroken(listener: (requestId: string, errorType: string) => void): void;
  /** Calls the listener when an event has been queued and its fault has been decided. */
  onQueued(listener: () => void): void;
  onInvoke(listener: (invocation: Invocation) => void): void;
  onLine(listener: (line: LogLine, requestId: string | undefined) => void): void;
}

/** What a function throws on purpose (lib/core/errors.ts), and what middy throws at a timeout. */
const expectedErrors: readonly string[] = ["RunnerError", "TimeoutError"];

type Timed = Invocation & { readonly fromMs: number; toMs?: number; isBroken: boolean };
type Ended = Extract<CloudEvent, { readonly requestId: string; readonly pid: number }>;

/** Follows the events of the local cloud. */
export function watchCloud(): Watch {
  const running = new Map<string, Invocation>();
  const all: Timed[] = [];
  const begun = new Map<Role, number>();
  const broken = new Map<string, number>();
  const brokenRequests = new Set<string>();
  const defects: string[] = [];
  const lines = new Map<string, number>();
  const ofRuns = new Map<string, number>();
  const metrics = new Map<string, number>();
  const called = new Map<string, AttemptEvent>();
  const queuedAtMs = new Map<string, number>();
  const begunAtMs = new Map<string, number>();
  const brokenListeners: ((requestId: string, errorType: string) => void)[] = [];
  const queuedListeners: (() => void)[] = [];
  const invokeListeners: ((invocation: Invocation) => void)[] = [];
  const lineListeners: ((line: LogLine, requestId: string | undefined) => void)[] = [];

  function onInvoke(event: Extract<CloudEvent, { kind: "invoke" }>): void {
    const role = roleOf(event.function);
    const { requestId, pid, environment } = event;
    const invocation = { requestId, pid, environment, role };
    running.set(requestId, invocation);
    all.push({ ...invocation, fromMs: event.atMs, isBroken: false });
    add(begun, role);
    for (const tell of invokeListeners) tell(invocation);
  }

  function onLog(event: Extract<CloudEvent, { kind: "log" }>): void {
    if (isMetricLine(event.line)) return onMetric(event.line);
    const line = parseLogLine(event.line);
    if (!line) return;
    add(lines, line.message);
    const { runId, message } = line;
    add(ofRuns, `${runId} ${message}`);
    const { requestId = "" } = event;
    if (message === "attempt_began" && !begunAtMs.has(requestId)) begunAtMs.set(requestId, event.atMs);
    for (const tell of lineListeners) tell(line, event.requestId);
  }

  function onMetric(text: string): void {
    const fields: Record<string, unknown> = JSON.parse(text);
    for (const [name, value] of Object.entries(fields))
      if (typeof value === "number") metrics.set(name, (metrics.get(name) ?? 0) + value);
  }

  function beganWithin(requestId: string, withinMs: number): boolean {
    const [queuedMs, begunMs] = [queuedAtMs.get(requestId), begunAtMs.get(requestId)];
    return queuedMs !== undefined && begunMs !== undefined && begunMs - queuedMs <= withinMs;
  }

  function onQueued(event: Extract<CloudEvent, { kind: "queued" }>): void {
    queuedAtMs.set(event.requestId, event.atMs);
    for (const tell of queuedListeners) tell();
  }

  function end({ requestId, pid, atMs }: Ended, isBroken: boolean): void {
    running.delete(requestId);
    const one = all.findLast((each) => each.requestId === requestId && each.pid === pid);
    if (one) Object.assign(one, { toMs: atMs, isBroken });
  }

  function onBroken(event: Extract<CloudEvent, { readonly errorType: string }>): void {
    const isDefect = event.kind === "error" && !expectedErrors.includes(event.errorType);
    end(event, !isDefect);
    add(broken, `${roleOf(event.function)}: ${event.kind}`);
    if (isDefect) defects.push(`${event.errorType}: ${event.errorMessage}`);
    else brokenRequests.add(event.requestId);
    for (const tell of brokenListeners) tell(event.requestId, event.errorType);
  }

  return {
    observe(event) {
      if (event.kind === "invoke") onInvoke(event);
      else if (event.kind === "queued") onQueued(event);
      else if (event.kind === "log") onLog(event);
      else if (event.kind === "end") end(event, false);
      else if ("errorType" in event) onBroken(event);
    },
    running: () => [...running.values()],
    begun: (role) => begun.get(role) ?? 0,
    broken: () => broken,
    invocations: () => all,
    isCalled: ({ runId, attempt }) =>
      [...called.values()].some((one) => one.runId === runId && one.attempt === attempt),
    attempts: () =>
      all.flatMap(({ requestId, ...one }) => {
        const event = one.role === "processor" ? called.get(requestId) : undefined;
        return event ? [{ ...one, runId: event.runId, attempt: event.attempt }] : [];
      }),
    roleOf: (environment) => all.find((one) => one.environment === environment)?.role ?? "processor",
    defects: () => defects,
    brokenAttempts: (runId) =>
      [...brokenRequests].filter((requestId) => called.get(requestId)?.runId === runId).length,
    called: (requestId, event) => void called.set(requestId, event),
    unstarted: (runId, withinMs) =>
      [...called].filter(([requestId, event]) => event.runId === runId && !beganWithin(requestId, withinMs))
        .length + (ofRuns.get(`${runId} attempt_not_invoked`) ?? 0),
    linesOf: (runId, name) => ofRuns.get(`${runId} ${name}`) ?? 0,
    metric: (name) => metrics.get(name) ?? 0,
    lines: () => lines,
    onBroken: (listener) => void brokenListeners.push(listener),
    onQueued: (listener) => void queuedListeners.push(listener),
    onInvoke: (listener) => void invokeListeners.push(listener),
    onLine: (listener) => void lineListeners.push(listener),
  };
}

const roleOf = (label: string): Role =>
  (["dispatcher", "recovery"] as const).find((role) => label.includes(role.slice(0, 6))) ?? "processor";

export function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
