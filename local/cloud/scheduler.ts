import { randomUUID } from "node:crypto";
import { ServiceError } from "./errors.ts";
import type { CloudPorts } from "./ports.ts";
import type { ScheduleResource } from "./resources.ts";

type SchedulerPorts = Pick<CloudPorts, "clock" | "emit" | "lambda" | "account">;

export interface Timing {
  /** Replaces every schedule's interval. */
  readonly intervalMs: number | undefined;
  /** Delay before the first tick. */
  readonly firstTickMs: number;
}

export interface Scheduler {
  /** Fires one schedule, or all enabled ones, at once. Returns the request ids. */
  tick(logicalId?: string): Promise<readonly string[]>;
  /** Fires each enabled schedule at every interval, until the signal aborts. */
  start(timing: Timing, signal: AbortSignal): void;
  readonly schedules: readonly ScheduleResource[];
  isEnabled(logicalId: string): boolean;
  /** A disabled schedule fires on request only. */
  setEnabled(logicalId: string, enabled: boolean): void;
}

interface Run {
  readonly intervalMs: number;
  readonly firstTickMs: number;
  readonly signal: AbortSignal;
}

export function createScheduler(ports: SchedulerPorts, schedules: readonly ScheduleResource[]): Scheduler {
  const { clock, emit } = ports;
  const enabled = new Set(schedules.filter((one) => one.enabled).map(({ logicalId }) => logicalId));
  const isEnabled = (logicalId: string): boolean => enabled.has(logicalId);

  async function keep(schedule: ScheduleResource, { intervalMs, firstTickMs, signal }: Run): Promise<void> {
    const startMs = clock.now() + firstTickMs;
    for (let count = 0; !signal.aborted;) {
      const dueMs = startMs + count * intervalMs;
      const waitMs = dueMs - clock.now();
      if (waitMs > 0) await clock.sleep(waitMs, signal);
      if (isEnabled(schedule.logicalId)) await fire(ports, schedule, dueMs);
      // Ticks that were missed while the machine slept are skipped.
      count = Math.max(count + 1, Math.ceil((clock.now() - startMs) / intervalMs));
    }
  }

  return {
    schedules,
    isEnabled,
    setEnabled: (logicalId, enable) => void (enable ? enabled.add(logicalId) : enabled.delete(logicalId)),
    async tick(logicalId) {
      const chosen =
        logicalId === undefined
          ? schedules.filter((one) => isEnabled(one.logicalId))
          : schedules.filter((one) => one.logicalId === logicalId);
      if (logicalId !== undefined && chosen.length === 0) {
        throw new ServiceError("ResourceNotFoundException", `Schedule ${logicalId} does not exist.`, 404);
      }
      return Promise.all(chosen.map((schedule) => fire(ports, schedule, clock.now())));
    },
    start(timing, signal) {
      for (const schedule of schedules) {
        const intervalMs = timing.intervalMs ?? schedule.intervalMs;
        const { logicalId, expression } = schedule;
        if (intervalMs !== undefined) {
          background(signal, keep(schedule, { intervalMs, firstTickMs: timing.firstTickMs, signal }));
        } else if (isEnabled(logicalId)) {
          emit({ kind: "schedule-not-timed", schedule: logicalId, expression });
        }
      }
    },
  };
}

async function fire(ports: SchedulerPorts, schedule: ScheduleResource, dueMs: number): Promise<string> {
  const { lambda, emit, account } = ports;
  const payload = inputOf(schedule, dueMs, account);
  const { label } = lambda.find(schedule.targetArn).runtime.resource;
  const { requestId } = await lambda.invoke({ functionName: schedule.targetArn, payload, type: "Event" });
  emit({ kind: "schedule", schedule: schedule.logicalId, function: label, requestId });
  return requestId;
}

/** Runs work in the background. Errors after the signal's abort are ignored. */
function background(signal: AbortSignal, work: Promise<void>): void {
  work.catch((reason: unknown) => {
    if (!signal.aborted) throw reason;
  });
}

/** EventBridge Scheduler's default event, or the template's input with its context attributes replaced. */
function inputOf(schedule: ScheduleResource, dueMs: number, account: CloudPorts["account"]): string {
  const time = new Date(dueMs).toISOString().replace(/\.\d+Z$/, "Z");
  const id = randomUUID();
  const event = {
    version: "0",
    id,
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account: account.accountId,
    time,
    region: account.region,
    resources: [schedule.arn],
    detail: "{}",
  };
  return (schedule.input ?? JSON.stringify(event))
    .replaceAll("<aws.scheduler.scheduled-time>", time)
    .replaceAll("<aws.scheduler.execution-id>", id)
    .replaceAll("<aws.scheduler.attempt-number>", "1")
    .replaceAll("<aws.scheduler.schedule-arn>", schedule.arn);
}
