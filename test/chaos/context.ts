import { setTimeout as pause } from "node:timers/promises";
import { deeds, type Deed } from "./faults.ts";
import type { FaultKind } from "./kinds.ts";
import type { ChaosOptions } from "./options.ts";
import type { CaseQueue } from "./queue.ts";
import { between, pick, type Random } from "./random.ts";
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

export const has = ({ options }: Pick<ChaosContext, "options">, kind: FaultKind): boolean =>
  options.faultRate > 0 && options.only.has(kind);

export const did = ({ done }: Pick<ChaosContext, "done">, deed: Deed): void => add(done, deeds[deed][1]);

/** A planned disturbance happens after this time: almost at once, so that it hits. */
const plannedMs = 60;

interface Drawing<D extends Deed> {
  readonly random: Random;
  /** Until each deed has happened once, every occasion with this interval is used for it. */
  readonly every: number;
  /** Shares of the occasions, at the default rates. */
  readonly shares: Readonly<Record<D, number>>;
}

interface Drawn<D extends Deed> {
  readonly deed: D;
  readonly delayMs: (limitMs: number) => number;
}

/**
 * Decides at each occasion whether a deed happens, and which: by chance, or because it is planned. With few
 * jobs, chance alone would leave some out.
 */
export function drawDeeds<D extends Deed>(
  { options, done, over }: ChaosContext,
  { random, every, shares }: Drawing<D>,
): (isPlanned?: boolean) => Drawn<D> | undefined {
  const names = Object.keys(shares) as D[];
  const rows = names.map((deed) => {
    const rate = deeds[deed][0] === "kills" ? options.killRate / 0.05 : options.faultRate / 0.1;
    return { deed, weight: shares[deed] * rate };
  });
  const share = rows.reduce((sum, { weight }) => sum + weight, 0);
  let occasions = 0;
  return (isPlanned = false) => {
    if (over.signal.aborted) return undefined;
    const owed = ++occasions % every === 0 ? names.find((deed) => !done.has(deeds[deed][1])) : undefined;
    if (random() >= share && owed === undefined && !isPlanned) return undefined;
    const isSoon = owed !== undefined || isPlanned;
    return {
      deed: owed ?? pick(random, rows).deed,
      delayMs: (limitMs) => between(random, 0, isSoon ? plannedMs : limitMs),
    };
  };
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

interface Began {
  readonly invocation: Invocation;
  readonly workspaceId: string;
  readonly attempt: unknown;
}

/** Calls the listener when an attempt has started, unless the faults have stopped. */
export function onAttemptBegan({ stage, over }: ChaosContext, listener: (began: Began) => void): void {
  stage.watch.onLine((line, requestId) => {
    const { workspaceId } = line;
    if (line.message !== "attempt_started" || workspaceId === undefined || over.signal.aborted) return;
    const invocation = runningAs(stage, requestId);
    if (invocation) listener({ invocation, workspaceId, attempt: line["attempt"] });
  });
}

export const runningAs = ({ watch }: Stage, requestId: string | undefined): Invocation | undefined =>
  watch.running().find((one) => one.requestId === requestId);
