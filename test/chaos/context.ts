import { setTimeout as pause } from "node:timers/promises";
import { deeds, type Deed } from "./faults.ts";
import type { FaultKind } from "./kinds.ts";
import type { ChaosOptions } from "./options.ts";
import type { CaseQueue } from "./queue.ts";
import type { Stage } from "./stage.ts";
import { add, type Invocation } from "./watch.ts";

/** A time in which one process was frozen, or could not reach the run store. Epoch ms. */
export interface Interval {
  readonly environment: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** True: the process was frozen. False: it was cut off from the run store. */
  readonly isFrozen: boolean;
}

/** What all disturbances share. */
export interface ChaosContext {
  readonly stage: Stage;
  readonly options: ChaosOptions;
  readonly queue: CaseQueue;
  /** The number of disturbances other than faults of calls, by name. */
  readonly done: Map<string, number>;
  readonly intervals: Interval[];
  /** Aborts when the faults stop. */
  readonly over: AbortController;
}

/**
 * Until a disturbance has happened once, every occasion with this interval is used for it. With few jobs,
 * chance would leave some out.
 */
export const plannedEvery = { event: 7, kill: 6, lease: 5, process: 4 };
/** A planned disturbance happens after this time: almost at once, so that it hits. */
export const plannedMs = 60;

export const has = ({ options }: Pick<ChaosContext, "options">, kind: FaultKind): boolean =>
  options.faultRate > 0 && options.only.has(kind);

/** A share at the default rate of faults, scaled to the rate in use. */
export const scaled = ({ options }: ChaosContext, share: number): number => share * (options.faultRate / 0.1);

export const did = ({ done }: Pick<ChaosContext, "done">, deed: Deed): void => add(done, deeds[deed][1]);
export const isDone = ({ done }: ChaosContext, deed: Deed): boolean => done.has(deeds[deed][1]);

/** The next item that still has to happen once; `undefined` if there is none, or it is not its turn. */
export function dueAt<T>(owed: readonly T[], occasion: number, every: number): T | undefined {
  return occasion % every === 0 ? owed[0] : undefined;
}

/** Calls `act` after `ms`, unless the signal aborts first. */
export async function later(signal: AbortSignal, ms: number, act: () => void): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch {
    return;
  }
  act();
}

export const runningAs = ({ watch }: Stage, requestId: string | undefined): Invocation | undefined =>
  watch.running().find((one) => one.requestId === requestId);
