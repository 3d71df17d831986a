import type { PollingMode } from "../../lib/core/options.ts";
import type { Run } from "../../lib/runs/run.ts";
import { vcpuMemoryMb } from "../bills.ts";
import { counter, environmentsOf, serial } from "./resources.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** The settings and the jobs of one simulation. */
export interface Load {
  readonly jobs: number;
  /** How long the model takes for one job. */
  readonly jobSeconds: number;
  readonly polling: PollingMode;
  readonly concurrency: number;
  readonly dispatcherMemoryMb: number;
  /** Studio answers 429 above this many requests per second. Absent: never. */
  readonly studioPerSecond?: number;
}

export type Simulation = ReturnType<typeof simulationOf>;

/** The state of one simulation. */
export function simulationOf(clock: VirtualClock, load: Load) {
  const cpuShare = Math.min(1, load.dispatcherMemoryMb / vcpuMemoryMb);
  return {
    clock,
    load,
    done: Promise.withResolvers<void>(),
    stop: new AbortController(),
    studio: counter(clock),
    writes: counter(clock),
    reads: counter(clock),
    lambda: environmentsOf(clock),
    cpu: serial(clock, 1 / cpuShare),
    openRuns: new Map<string, Run>(),
    heldBack: { modelUntilMs: 0, studioUntilMs: 0 },
    lock: { owner: "" },
    seen: { leased: 0, ended: 0, refused: 0, fullAtMs: 0, endedAtMs: 0 },
    billed: { dispatcherMs: 0, processorMs: 0 },
  };
}
