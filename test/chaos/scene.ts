import { setTimeout as pause } from "node:timers/promises";
import { deeds, type Deed } from "./faults.ts";
import type { FaultKind } from "./kinds.ts";
import type { ChaosOptions } from "./options.ts";
import type { CaseQueue } from "./queue.ts";
import type { Stage } from "./stage.ts";
import { add, type Invocation } from "./watch.ts";

/** A time in which one process stood still, or could not reach the run store. Epoch ms. */
export interface Interval {
  readonly environment: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** It stood still; else it was cut off from the run store. */
  readonly isFrozen: boolean;
}

/** What those who disturb share. */
export interface Scene {
  readonly stage: Stage;
  readonly options: ChaosOptions;
  readonly queue: CaseQueue;
  /** What was done beyond the faults of calls, by name. */
  readonly done: Map<string, number>;
  readonly intervals: Interval[];
  /** Aborts when the faults rest. */
  readonly over: AbortController;
}

/** As long as a deed has not been done once, each so manieth occasion is taken for it: in few jobs the dice forget some. */
export const plannedEvery = { event: 7, kill: 6, lease: 5, process: 4 };
/** After which a planned deed strikes: nearly at once, so that it hits. */
export const plannedMs = 60;

export const has = ({ options }: Pick<Scene, "options">, kind: FaultKind): boolean =>
  options.faultRate > 0 && options.only.has(kind);

/** At the usual rate of faults, which others scale. */
export const scaled = ({ options }: Scene, share: number): number => share * (options.faultRate / 0.1);

export const did = ({ done }: Pick<Scene, "done">, deed: Deed): void => add(done, deeds[deed][1]);
export const isDone = ({ done }: Scene, deed: Deed): boolean => done.has(deeds[deed][1]);

/** The next of what is still to be done once; `undefined` once all is done, and until its turn comes. */
export function dueAt<T>(owed: readonly T[], occasion: number, every: number): T | undefined {
  return occasion % every === 0 ? owed[0] : undefined;
}

/** Not at all once the signal aborts. */
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
