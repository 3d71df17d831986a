import type { Clock } from "../core/clock.ts";
import type { Invoker } from "../adapters/lambda.ts";
import type { Log } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { RunnerKeys } from "../keys/runner-keys.ts";
import type { BackoffRow } from "../runs/backoff.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { SpendRow } from "../runs/spend.ts";
import type { WorkspaceRows } from "../runs/workspaces.ts";
import type { Studio } from "../studio/studio.ts";

/**
 * Everything outside that the dispatcher, the processor and recovery use; functions/container.ts makes it. A function names
 * the few that it takes: `Pick<Ports, "clock" | "log">`.
 */
export interface Ports {
  readonly clock: Clock;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly studio: Studio;
  readonly keys: RunnerKeys;
  readonly invoker: Invoker;
  readonly runStore: RunStore;
  readonly workspaces: WorkspaceRows;
  readonly backoff: BackoffRow;
  readonly spend: SpendRow;
}

/** What a retried call needs. */
export type Retrying = Pick<Ports, "clock" | "random" | "log">;
