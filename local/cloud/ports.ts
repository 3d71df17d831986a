import type { CloudContext } from "./context.ts";
import type { FaultPlan } from "./faults.ts";
import type { LambdaService } from "./lambda-service.ts";
import type { LogStore } from "./logs/log-store.ts";
import type { Monitor } from "./monitoring/monitor.ts";
import type { MessageQueue } from "./queues.ts";
import type { Rotations } from "./rotation.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SecretStore } from "./secrets.ts";
import type { Activity } from "./timers.ts";

/**
 * The parts of the local cloud; cloud.ts makes them. A function names the few that it takes:
 * `Pick<CloudPorts, "clock" | "emit">`.
 */
export interface CloudPorts extends CloudContext {
  readonly faults: FaultPlan;
  readonly activity: Activity;
  /** Delays before the second try of a failed event or rotation, the third and so on. */
  readonly retryDelaysMs: readonly number[];
  /** Aborts when the cloud stops. */
  readonly closing: AbortSignal;
  readonly lambda: LambdaService;
  readonly queues: readonly MessageQueue[];
  readonly secrets: SecretStore;
  readonly rotations: Rotations;
  readonly scheduler: Scheduler;
  readonly monitor: Monitor;
  readonly logs: LogStore;
}
