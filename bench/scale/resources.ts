import type { VirtualClock } from "./virtual-clock.ts";

/**
 * Assumptions from the benchmark (docs/performance.md) and AWS's documentation. The dispatcher's memory
 * determines its share of a CPU.
 */
export const assumed = {
  studioMs: 150,
  dynamoDbMs: 6,
  invokeMs: 40,
  cpuMsPerLease: 8,
  /** CPU time for reading the open runs: a query, plus a time per row. */
  cpuMsPerLook: 1,
  cpuMsPerRow: 0.035,
  coldStartMs: 1_200,
  warmStartMs: 30,
  /** https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html, "scaling rate": new environments of one function */
  environmentsPer10Seconds: 1_000,
  processorMemoryMb: 256,
  /** Write units for a run's row, and for its row in the index. */
  writesPerOpen: 4,
  writesPerJob: 14,
  rowsPerReadUnit: 8,
} as const;

/** Counts per second. */
export function counter(clock: VirtualClock) {
  const bySecond = new Map<number, number>();
  const second = (): number => Math.floor(clock.now() / 1_000);
  return {
    add: (units: number): void => void bySecond.set(second(), (bySecond.get(second()) ?? 0) + units),
    now: (): number => bySecond.get(second()) ?? 0,
    peak: (): number => Math.max(0, ...bySecond.values()),
    total: (): number => [...bySecond.values()].reduce((sum, units) => sum + units, 0),
  };
}

/** Runs one thing after the other, each slowed down by the factor `stretch`. */
export function serial(clock: VirtualClock, stretch: number) {
  let freeAtMs = 0;
  return async (ms: number): Promise<void> => {
    freeAtMs = Math.max(freeAtMs, clock.now()) + ms * stretch;
    await clock.sleep(freeAtMs - clock.now());
  };
}

/** Lambda's environments of one function. Returns how much of the start is billed. */
export function environmentsOf(clock: VirtualClock) {
  const begun: number[] = [];
  let [idle, all] = [0, 0];
  return {
    start: async (): Promise<number> => {
      if (idle > 0) {
        idle -= 1;
        await clock.sleep(assumed.warmStartMs);
        return assumed.warmStartMs;
      }
      all += 1;
      const turn = begun[begun.length - assumed.environmentsPer10Seconds];
      const atMs = Math.max(clock.now(), turn === undefined ? 0 : turn + 10_000);
      begun.push(atMs);
      await clock.sleep(atMs - clock.now() + assumed.coldStartMs);
      return assumed.coldStartMs;
    },
    end: (): void => void (idle += 1),
    count: (): number => all,
  };
}
