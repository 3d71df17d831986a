import { relativeTime } from "./format.js";

/**
 * Updates every `time[data-at]` in `root` once a second. They must be outside live regions, so that screen readers do not read
 * every change.
 * @param {{ root: ParentNode, now: () => number, every: (run: () => void, intervalMs: number) => void }} ports
 */
export function startTicker({ root, now, every }) {
  const tick = () => {
    for (const element of root.querySelectorAll("time[data-at]")) {
      setText(element, relativeTime(Number(element.getAttribute("data-at")), now()));
    }
  };
  every(tick, 1_000);
}

/**
 * @param {Element} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
