import type { Clock } from "../../lib/core/clock.ts";
import type { EventLog } from "./event-log.ts";
import { createEventLog } from "./event-log.ts";
import type { Frame } from "./frames.ts";
import type { ResponseBody } from "./wire.ts";
import { terminalStatuses } from "./wire.ts";

/** A response on its way, and afterwards as it ended. */
export interface Generation {
  body(): ResponseBody;
  readonly events: Pick<EventLog, "read">;
  /** Settles when the response has ended, however; never rejects. */
  readonly finished: Promise<void>;
  /** Ends it as `cancelled`, if it has not ended. */
  cancel(): void;
}

export function startGeneration(clock: Clock, initial: ResponseBody, frames: readonly Frame[]): Generation {
  const log = createEventLog();
  const stop = new AbortController();
  let body = initial;

  const run = async (): Promise<void> => {
    for (const frame of frames) {
      if (frame.waitMs > 0) await clock.sleep(frame.waitMs, stop.signal);
      stop.signal.throwIfAborted();
      body = frame.body ?? body;
      log.append(frame.event);
    }
  };
  const finished = run()
    .catch(() => {
      body = { ...body, status: "cancelled" };
    })
    .finally(() => log.end());

  return {
    body: () => body,
    events: log,
    finished,
    cancel: () => {
      if (!terminalStatuses.includes(body.status)) stop.abort(new Error("cancelled"));
    },
  };
}
