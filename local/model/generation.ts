import type { Clock } from "../../lib/core/clock.ts";
import type { EventLog } from "./event-log.ts";
import { createEventLog } from "./event-log.ts";
import type { Frame } from "./frames.ts";
import type { ResponseBody } from "./wire.ts";
import { terminalStatuses } from "./wire.ts";

/** A response that is being generated or has ended. */
export interface Generation {
  body(): ResponseBody;
  readonly events: Pick<EventLog, "read">;
  /** Resolves when the response has ended in any way; never rejects. */
  readonly finished: Promise<void>;
  /** Ends the response as `cancelled` if it has not ended yet. */
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
