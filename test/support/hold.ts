import { systemClock, type Clock } from "../../lib/core/clock.ts";

/** A turn with this duration stands still until the test lets it continue. */
export const heldMs = 9_999_999;
/** The special word for one job's text with the same effect. */
export const held = `[[slow:${heldMs}]]`;

/**
 * A held turn waits in parts of some tenths of its duration. No other wait of the model is nearly as long.
 */
const leastMs = 100_000;

export interface Hold {
  /** The offline model's clock: real time, except for held turns. */
  readonly modelClock: Clock;
  /**
   * Lets held turns continue once `isHeld` returns false, whether they have started or not. Until it is
   * called, all stand still.
   */
  hold(isHeld: () => boolean): void;
}

export function createHold(): Hold {
  let isHeld = (): boolean => true;
  const sleep: Clock["sleep"] = async (ms, signal) => {
    if (ms < leastMs) return await systemClock.sleep(ms, signal);
    while (isHeld()) await systemClock.sleep(10, signal);
  };
  return {
    modelClock: { ...systemClock, sleep },
    hold: (next) => {
      isHeld = next;
    },
  };
}
