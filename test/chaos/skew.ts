import { systemClock, type Clock } from "../../lib/core/clock.ts";
import type { ChaosOptions } from "./options.ts";
import { seeded } from "./random.ts";

/** Studio's clock, which is set apart from ours. */
export interface SkewedClock extends Clock {
  /** Against ours. */
  skewMs(): number;
  /** Moves on by so much from now on. */
  step(ms: number): void;
  /** Jumps forward: once, by two minutes. Backward it would keep every abandoned lease for as long. */
  jump(): void;
}

const farMs = 120_000;
/** Below what the runner can tell from the whole seconds of the Date header. */
const nearMs = 1_200;

/** Behind, then nearly right; or nearly right, then ahead. */
export function studioClock({ seed, only }: Pick<ChaosOptions, "seed" | "only">): SkewedClock {
  const isBehind = seeded(seed, "skew")() < 0.5;
  const [before, after] = isBehind ? [-farMs, nearMs] : [-nearMs, farMs];
  let baseMs = only.has("skew") ? before : 0;
  let wanderMs = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + baseMs + wanderMs,
    skewMs: () => baseMs + wanderMs,
    step: (ms) => void (wanderMs += ms),
    jump: () => void (baseMs = after),
  };
}
