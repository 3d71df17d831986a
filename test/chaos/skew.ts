import { systemClock } from "../../lib/core/clock.ts";
import type { ChaosOptions } from "./options.ts";
import { seeded } from "./random.ts";

const farMs = 120_000;
/** Less than the runner can tell from the Date header, which has whole seconds. */
const nearMs = 1_200;

/** Studio's clock, which differs from the machine's: first behind and then almost right, or first almost right and then ahead. */
export function studioClock({ seed, only }: Pick<ChaosOptions, "seed" | "only">) {
  const isBehind = seeded(seed, "skew")() < 0.5;
  const [before, after] = isBehind ? [-farMs, nearMs] : [-nearMs, farMs];
  let baseMs = only.has("skew") ? before : 0;
  let wanderMs = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + baseMs + wanderMs,
    /** The difference from the machine's clock. */
    skewMs: () => baseMs + wanderMs,
    /** Moves the clock by `ms` from now on. */
    step: (ms: number) => void (wanderMs += ms),
    /** Jumps forward by two minutes, once. A backward jump would extend every abandoned lease by as much. */
    jump: () => void (baseMs = after),
  };
}
