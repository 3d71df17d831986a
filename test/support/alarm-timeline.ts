import * as z from "zod";
import type { CloudEvent } from "../../local/cloud/events.ts";
import type { AlarmStatus } from "../../local/cloud/monitoring/alarms.ts";
import { createMonitor, type Monitor } from "../../local/cloud/monitoring/monitor.ts";
import { createMessageQueue } from "../../local/cloud/queues.ts";
import { readStack } from "../../local/cloud/template.ts";

/** What functions and queues really did during some seconds. */
export interface Recording {
  readonly events: readonly CloudEvent[];
  /** Messages left in the dead-letter queue. */
  readonly deadLetters: readonly string[];
}

export interface Act {
  readonly recording: Recording;
  /** The minutes at whose start it happens. */
  readonly minutes: readonly number[];
}

export interface Script {
  /** The template whose alarms are evaluated. */
  readonly templateFile: string;
  readonly acts: readonly Act[];
  readonly minutes: number;
}

export interface Minute {
  readonly minute: number;
  /** Ids of the alarms that are in ALARM at the end of the minute. */
  readonly firing: readonly string[];
  /** Ids of the alarms that are neither in ALARM nor OK. */
  readonly undecided: readonly string[];
}

export interface Timeline {
  readonly ids: readonly string[];
  /** One evaluation per minute. */
  readonly minutes: readonly Minute[];
  /** Messages to the alarm topic in order, like "NoGoodPoll ALARM". */
  readonly notifications: readonly string[];
}

const minuteMs = 60_000;
/** A full hour, at which periods of every length start. */
const beginMs = 3_600_000 * 480_000;
const account = { region: "us-east-1", accountId: "000000000000" };

/**
 * Plays recordings into a monitor with a time base of its own, so that minutes pass in milliseconds.
 * Evaluates each alarm of the template after each minute, as CloudWatch would.
 */
export function playTimeline({ templateFile, acts, minutes }: Script): Timeline {
  let nowMs = beginMs;
  const clock = { now: () => nowMs, sleep: () => Promise.reject(new Error("nobody waits here")) };
  const stack = readStack(templateFile, account);
  const [resource, ...others] = stack.queues;
  if (resource === undefined || others.length > 0) throw new Error("one dead-letter queue is expected");
  const queue = createMessageQueue({ clock, ...resource });
  const ports = { clock, emit: () => undefined, stack, queues: [queue] };
  const monitor = createMonitor(ports, account.region);
  const names = namesOf(stack.outputs);
  const seen = Array.from({ length: minutes }, (_, minute) => {
    queue.receive();
    for (const { recording } of acts.filter((act) => act.minutes.includes(minute))) {
      play(recording.events, nowMs, monitor);
      for (const body of recording.deadLetters) queue.send(body);
    }
    // The queue is sampled at the start of the minute, the alarms are evaluated at its end.
    monitor.evaluate(nowMs + minuteMs);
    nowMs += minuteMs;
    return readMinute(minute, monitor.alarms.states(), names);
  });
  const notifications = monitor.alarms.notifications().map(({ message }) => {
    const { AlarmName, NewStateValue } = messageSchema.parse(JSON.parse(message));
    return `${names.get(AlarmName)} ${NewStateValue}`;
  });
  return { ids: [...names.values()], minutes: seen, notifications };
}

const messageSchema = z.object({ AlarmName: z.string(), NewStateValue: z.string() });

/** Alarm ids by physical name, from the stack's output. */
function namesOf(
  outputs: readonly { readonly key: string; readonly value: string }[],
): ReadonlyMap<string, string> {
  const text = outputs.find(({ key }) => key === "PoolLocalAlarms")?.value ?? "";
  const byId = z.record(z.string(), z.string()).parse(JSON.parse(text));
  return new Map(Object.entries(byId).map(([id, name]) => [name, id]));
}

function readMinute(
  minute: number,
  statuses: readonly AlarmStatus[],
  names: ReadonlyMap<string, string>,
): Minute {
  const idsIn = (state: AlarmStatus["state"]): readonly string[] =>
    statuses
      .filter((one) => one.state === state)
      .map(({ definition }) => names.get(definition.name) ?? definition.name);
  return { minute, firing: idsIn("ALARM"), undecided: idsIn("INSUFFICIENT_DATA") };
}

function play(events: readonly CloudEvent[], fromMs: number, monitor: Monitor): void {
  const [first] = events;
  if (first === undefined) return;
  const laterMs = fromMs - first.atMs;
  for (const event of events) monitor.observe(moved(event, laterMs));
}

/** The event moved to a later time, including the time in its metrics. */
function moved(event: CloudEvent, laterMs: number): CloudEvent {
  const atMs = event.atMs + laterMs;
  if (event.kind !== "log" || !event.line.startsWith("{")) return { ...event, atMs };
  const line: unknown = JSON.parse(event.line, (key, value: unknown) =>
    key === "Timestamp" && typeof value === "number" ? value + laterMs : value,
  );
  return { ...event, atMs, line: JSON.stringify(line) };
}
