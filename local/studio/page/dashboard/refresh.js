import { sentenceOf } from "../api.js";

const everyMs = 5_000;

/**
 * Reloads every five seconds while the page is visible. Discards an answer if a newer request has been made.
 * @template View
 * @param {object} ports
 * @param {() => Promise<View>} ports.load
 * @param {() => boolean} ports.isHidden
 * @param {(run: () => void, delayMs: number) => number} ports.schedule
 * @param {(timer: number) => void} ports.cancel
 * @param {(view: View) => void} ports.onView
 * @param {(sentence: string) => void} ports.onProblem
 */
export function startRefreshing({ load, isHidden, schedule, cancel, onView, onProblem }) {
  let turn = 0;
  /** @type {number | undefined} */
  let timer;

  const now = () => {
    turn += 1;
    if (timer !== undefined) cancel(timer);
    if (!isHidden()) void run(turn);
  };
  /** @param {number} mine */
  const run = async (mine) => {
    try {
      const view = await load();
      if (mine === turn) onView(view);
    } catch (error) {
      if (mine === turn) onProblem(sentenceOf(error));
    }
    if (mine === turn) timer = schedule(now, everyMs);
  };
  now();
  return { now };
}
