import { parseLogLine, isMetricLine, type LogLine } from "../../lib/log-line.ts";
import type { CloudEvent } from "../../local/cloud/events.ts";

export type Role = "dispatcher" | "processor" | "settler";

export interface Invocation {
  readonly requestId: string;
  readonly pid: number;
  readonly role: Role;
}

export interface Watch {
  observe(event: CloudEvent): void;
  /** Those that run now. */
  running(): readonly Invocation[];
  /** Invocations so far, by role. */
  begun(role: Role): number;
  /** Ends other than an answer, by role and kind. */
  broken(): ReadonlyMap<string, number>;
  /** Invocations for a run that broke. */
  brokenLegs(runId: string): number;
  /** The functions' own lines, by event name. */
  lines(): ReadonlyMap<string, number>;
  onBroken(listener: (requestId: string, errorType: string) => void): void;
  /** Told when an event has been queued, its fate being decided. */
  onQueued(listener: () => void): void;
  onInvoke(listener: (invocation: Invocation) => void): void;
  onLine(listener: (line: LogLine, requestId: string | undefined) => void): void;
}

/** Follows what happens in the local cloud. */
export function watchCloud(): Watch {
  const running = new Map<string, Invocation>();
  const begun = new Map<Role, number>();
  const broken = new Map<string, number>();
  const runs = new Map<string, string>();
  const brokenRequests = new Set<string>();
  const lines = new Map<string, number>();
  const brokenListeners: ((requestId: string, errorType: string) => void)[] = [];
  const queuedListeners: (() => void)[] = [];
  const invokeListeners: ((invocation: Invocation) => void)[] = [];
  const lineListeners: ((line: LogLine, requestId: string | undefined) => void)[] = [];

  function onInvoke(event: Extract<CloudEvent, { kind: "invoke" }>): void {
    const role = roleOf(event.function);
    const invocation = { requestId: event.requestId, pid: event.pid, role };
    running.set(event.requestId, invocation);
    add(begun, role);
    for (const tell of invokeListeners) tell(invocation);
  }

  function onLog(event: Extract<CloudEvent, { kind: "log" }>): void {
    const line = isMetricLine(event.line) ? undefined : parseLogLine(event.line);
    if (!line) return;
    add(lines, line.message);
    const { runId } = line;
    // A process that was killed before it said anything is named by the settler.
    const named = line.message === "leg_settled" ? line["requestId"] : event.requestId;
    const isOfLeg = line.message === "leg_began" || line.message === "leg_settled";
    if (isOfLeg && runId !== undefined && typeof named === "string") runs.set(named, runId);
    for (const tell of lineListeners) tell(line, event.requestId);
  }

  function onBroken(event: Extract<CloudEvent, { readonly errorType: string }>): void {
    running.delete(event.requestId);
    add(broken, `${roleOf(event.function)}: ${event.kind}`);
    brokenRequests.add(event.requestId);
    for (const tell of brokenListeners) tell(event.requestId, event.errorType);
  }

  return {
    observe(event) {
      if (event.kind === "invoke") onInvoke(event);
      else if (event.kind === "queued") for (const tell of queuedListeners) tell();
      else if (event.kind === "log") onLog(event);
      else if (event.kind === "end") running.delete(event.requestId);
      else if ("errorType" in event) onBroken(event);
    },
    running: () => [...running.values()],
    begun: (role) => begun.get(role) ?? 0,
    broken: () => broken,
    brokenLegs: (runId) => [...brokenRequests].filter((requestId) => runs.get(requestId) === runId).length,
    lines: () => lines,
    onBroken: (listener) => void brokenListeners.push(listener),
    onQueued: (listener) => void queuedListeners.push(listener),
    onInvoke: (listener) => void invokeListeners.push(listener),
    onLine: (listener) => void lineListeners.push(listener),
  };
}

const roleOf = (label: string): Role =>
  (["dispatcher", "settler"] as const).find((role) => label.includes(role.slice(0, 6))) ?? "processor";

export function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
