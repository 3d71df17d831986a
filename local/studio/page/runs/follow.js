/** @import { RunChange } from "../../../runs/view.ts" */

/** Changes come in bursts, and one request answers them all. */
const burstMs = 150;
/** For what no log line tells, such as a cancellation from another terminal. */
const everyMs = 5_000;

/**
 * Calls `load` now, after each change that concerns the page, and now and then. One request at a time.
 * @param {object} ports
 * @param {() => EventSource} ports.open
 * @param {(run: () => void, delayMs: number) => void} ports.schedule
 * @param {() => boolean} ports.isHidden
 * @param {() => Promise<void>} ports.load must not reject
 * @param {(change: RunChange) => boolean} ports.concerns
 * @param {(isOpen: boolean) => void} ports.onConnection
 */
export function followRuns({ open, schedule, isHidden, load, concerns, onConnection }) {
  let isLoading = false;
  let isStale = false;
  const now = async () => {
    isStale = true;
    if (isLoading) return;
    isLoading = true;
    while (isStale) {
      isStale = false;
      await load();
    }
    isLoading = false;
  };
  let isAnnounced = false;
  const soon = () => {
    if (isAnnounced) return;
    isAnnounced = true;
    schedule(() => {
      isAnnounced = false;
      void now();
    }, burstMs);
  };
  const again = () =>
    schedule(() => {
      if (!isHidden()) soon();
      again();
    }, everyMs);
  again();

  let refusals = 0;
  const connect = () => {
    const source = open();
    source.addEventListener("run", (event) => {
      if (concerns(JSON.parse(event.data))) soon();
    });
    source.addEventListener("open", () => {
      refusals = 0;
      onConnection(true);
      soon();
    });
    source.addEventListener("error", () => {
      onConnection(false);
      if (source.readyState !== EventSource.CLOSED) return;
      refusals += 1;
      schedule(connect, Math.min(15_000, 500 * 2 ** refusals));
    });
  };
  connect();
  void now();
  return { now };
}
