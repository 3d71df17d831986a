import type { AttemptEvent } from "../../lib/adapters/lambda.ts";
import { parseLogLine, isMetricLine, type LogLine } from "../../cli/parse-log-line.ts";
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

/** What a function throws on purpose (lib/core/errors.ts), and what middy throws at a timeout. */
const expectedErrors: readonly string[] = ["RunnerError", "TimeoutError"];

type Timed = Invocation & { readonly fromMs: number; toMs?: number; isBroken: boolean };
type Ended = Extract<CloudEvent, { readonly requestId: string; readonly pid: number }>;

type BrokenListener = (requestId: string, errorType: string) => void;
type InvokeListener = (invocation: Invocation) => void;
type LineListener = (line: LogLine, requestId: string | undefined) => void;

/** Follows the events of the local cloud. */
export function watchCloud() {
  const running = new Map<string, Invocation>();
  const all: Timed[] = [];
  const brokenRequests = new Set<string>();
  const defects: string[] = [];
  const ofRuns = new Map<string, number>();
  const metrics = new Map<string, number>();
  const called = new Map<string, AttemptEvent>();
  const queuedAtMs = new Map<string, number>();
  const begunAtMs = new Map<string, number>();
  const brokenListeners: BrokenListener[] = [];
  const queuedListeners: (() => void)[] = [];
  const invokeListeners: InvokeListener[] = [];
  const lineListeners: LineListener[] = [];

  function onInvoke(event: Extract<CloudEvent, { kind: "invoke" }>): void {
    const role = roleOf(event.function);
    const { requestId, pid, environment } = event;
    const invocation = { requestId, pid, environment, role };
    running.set(requestId, invocation);
    all.push({ ...invocation, fromMs: event.atMs, isBroken: false });
    for (const tell of invokeListeners) tell(invocation);
  }

  function onLog(event: Extract<CloudEvent, { kind: "log" }>): void {
    if (isMetricLine(event.line)) return onMetric(event.line);
    const line = parseLogLine(event.line);
    if (!line) return;
    const { runId, message } = line;
    add(ofRuns, `${runId} ${message}`);
    const { requestId = "" } = event;
    if (message === "attempt_started" && !begunAtMs.has(requestId)) begunAtMs.set(requestId, event.atMs);
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
    if (isDefect) defects.push(`${event.errorType}: ${event.errorMessage}`);
    else brokenRequests.add(event.requestId);
    for (const tell of brokenListeners) tell(event.requestId, event.errorType);
  }

  return {
    observe(event: CloudEvent) {
      if (event.kind === "invoke") onInvoke(event);
      else if (event.kind === "queued") onQueued(event);
      else if (event.kind === "log") onLog(event);
      else if (event.kind === "end") end(event, false);
      else if ("errorType" in event) onBroken(event);
    },
    /** The running invocations. */
    running: (): readonly Invocation[] => [...running.values()],
    /** In order of their start, like `attempts`. */
    invocations: (): readonly (Invocation & TimedInvocation)[] => all,
    /** Invocations of the processor for a run. */
    attempts: (): readonly Attempt[] =>
      all.flatMap((one) => {
        const event = one.role === "processor" ? called.get(one.requestId) : undefined;
        return event ? [{ ...one, runId: event.runId, attempt: event.attempt }] : [];
      }),
    roleOf: (environment: string): Role =>
      all.find((one) => one.environment === environment)?.role ?? "processor",
    /** Errors that handlers threw and that are not the runner's own, as `name: message`. These are bugs. */
    defects: (): readonly string[] => defects,
    /** Failed invocations for a run, except those that ended because of a bug. */
    brokenAttempts: (runId: string) =>
      [...brokenRequests].filter((requestId) => called.get(requestId)?.runId === runId).length,
    /** Call for an event for a run that Lambda has accepted. */
    called: (requestId: string, event: AttemptEvent) => void called.set(requestId, event),
    isCalled: ({ runId, attempt }: Pick<AttemptEvent, "runId" | "attempt">) =>
      [...called.values()].some((one) => one.runId === runId && one.attempt === attempt),
    /**
     * The number of events for a run that could not be sent, or whose attempt did not start within `withinMs`.
     */
    unstarted: (runId: string, withinMs: number) =>
      [...called].filter(([requestId, event]) => event.runId === runId && !beganWithin(requestId, withinMs))
        .length + (ofRuns.get(`${runId} attempt_not_invoked`) ?? 0),
    /** Log lines with that name about the run. */
    linesOf: (runId: string, name: LogEvent) => ofRuns.get(`${runId} ${name}`) ?? 0,
    /** The sum of all values of a metric. */
    metric: (name: MetricName) => metrics.get(name) ?? 0,
    onBroken: (listener: BrokenListener) => void brokenListeners.push(listener),
    /** Calls the listener when an event has been queued and its fault has been decided. */
    onQueued: (listener: () => void) => void queuedListeners.push(listener),
    onInvoke: (listener: InvokeListener) => void invokeListeners.push(listener),
    onLine: (listener: LineListener) => void lineListeners.push(listener),
  };
}

export type Watch = ReturnType<typeof watchCloud>;

const roleOf = (label: string): Role =>
  (["dispatcher", "recovery"] as const).find((role) => label.includes(role.slice(0, 6))) ?? "processor";

export function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
