/** @import { RunChange } from "../../../runs/view.ts" */
import { followStream } from "../stream.js";

/** Changes come in bursts, and one request answers them all. */
const burstMs = 150;
/** For what no log line tells, such as a cancellation from another terminal. */
const everyMs = 5_000;

/**
 * Calls `load` now, after each change that concerns the page, and now and then. One request at a time.
 * @param {object} ports
 * @param {() => EventSource} ports.open
 * @param {(run: () => void, delayMs: number) => void} ports.schedule
 * @param {Pick<Document, "hidden" | "addEventListener">} ports.document
 * @param {() => Promise<void>} ports.load must not reject
 * @param {(change: RunChange) => boolean} ports.concerns
 * @param {(isOpen: boolean) => void} ports.onConnection
 */
export function followRuns({ open, schedule, document, load, concerns, onConnection }) {
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
      if (!document.hidden) soon();
      again();
    }, everyMs);
  again();

  followStream({
    open,
    schedule,
    document,
    on: {
      /** @param {RunChange} change */
      run(change) {
        if (concerns(change)) soon();
      },
    },
    onOpen() {
      onConnection(true);
      soon();
    },
    onLost: () => onConnection(false),
  });
  void now();
  return { now };
}
