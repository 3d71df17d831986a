import { systemClock, type Clock } from "../../lib/core/clock.ts";

/** As the time of a turn: it stands still for as long as the test wants. */
export const heldMs = 9_999_999;
/** The same in the text of one job. */
export const held = `[[slow:${heldMs}]]`;

/** A turn waits in parts, which are some tenths of it; no other wait of the model is nearly so long. */
const leastMs = 100_000;

export interface Hold {
  /** For the offline model: real time, but for held turns. */
  readonly modelClock: Clock;
  /** Held turns go on when `isHeld` does not hold, be they begun or not. Until told they all stand still. */
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
