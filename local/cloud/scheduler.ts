import { randomUUID } from "node:crypto";
import type { Clock } from "../../lib/clock.ts";
import { ServiceError } from "./errors.ts";
import type { Emit } from "./events.ts";
import type { LambdaService } from "./lambda-service.ts";
import type { ScheduleResource } from "./resources.ts";

export interface SchedulerDeps {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly lambda: LambdaService;
  readonly schedules: readonly ScheduleResource[];
  readonly account: { readonly region: string; readonly accountId: string };
}

export interface Timing {
  /** Overrides every schedule's own interval. */
  readonly intervalMs: number | undefined;
  /** Before the first tick. */
  readonly firstTickMs: number;
}

export interface Scheduler {
  /** Fires a schedule, or all that are enabled, at once. Returns the request ids. */
  tick(logicalId?: string): Promise<readonly string[]>;
  /** Fires each enabled schedule now and then each interval, until the signal aborts. */
  start(timing: Timing, signal: AbortSignal): void;
}

interface Run {
  readonly intervalMs: number;
  readonly firstTickMs: number;
  readonly signal: AbortSignal;
}

export function createScheduler(deps: SchedulerDeps): Scheduler {
  const { clock, emit, schedules } = deps;
  const enabled = schedules.filter((schedule) => schedule.enabled);

  async function fire(schedule: ScheduleResource, dueMs: number): Promise<string> {
    const payload = inputOf(schedule, dueMs, deps.account);
    const { runtime } = deps.lambda.find(schedule.targetArn);
    const { requestId } = await deps.lambda.invoke({
      functionName: schedule.targetArn,
      payload,
      type: "Event",
    });
    emit({ kind: "schedule", schedule: schedule.logicalId, function: runtime.resource.label, requestId });
    return requestId;
  }

  async function run(schedule: ScheduleResource, { intervalMs, firstTickMs, signal }: Run): Promise<void> {
    const startMs = clock.now() + firstTickMs;
    for (let count = 0; !signal.aborted;) {
      const dueMs = startMs + count * intervalMs;
      const waitMs = dueMs - clock.now();
      if (waitMs > 0) await clock.sleep(waitMs, signal);
      await fire(schedule, dueMs);
      // After a machine's sleep the missed ticks are not made up for.
      count = Math.max(count + 1, Math.ceil((clock.now() - startMs) / intervalMs));
    }
  }

  return {
    async tick(logicalId) {
      const chosen =
        logicalId === undefined ? enabled : schedules.filter((one) => one.logicalId === logicalId);
      if (logicalId !== undefined && chosen.length === 0) {
        throw new ServiceError("ResourceNotFoundException", `Schedule ${logicalId} does not exist.`, 404);
      }
      return Promise.all(chosen.map((schedule) => fire(schedule, clock.now())));
    },
    start(timing, signal) {
      for (const schedule of enabled) {
        const intervalMs = timing.intervalMs ?? schedule.intervalMs;
        if (intervalMs === undefined) {
          emit({ kind: "schedule-not-timed", schedule: schedule.logicalId, expression: schedule.expression });
          continue;
        }
        run(schedule, { intervalMs, firstTickMs: timing.firstTickMs, signal }).catch((reason: unknown) => {
          if (!signal.aborted) throw reason;
        });
      }
    },
  };
}

/** EventBridge Scheduler's default event, or the template's input with its context attributes filled in. */
function inputOf(schedule: ScheduleResource, dueMs: number, account: SchedulerDeps["account"]): string {
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
