import type { StreamEvent } from "./wire.ts";

/** The events of one response, kept so that any number of readers can start at any point. */
export interface EventLog {
  append(event: Readonly<Record<string, unknown>> & { readonly type: string }): void;
  end(): void;
  /**
   * Events after sequence number `after` (-1: all), as they arrive, until the response ends or the signal
   * aborts.
   */
  read(after: number, signal: AbortSignal): AsyncGenerator<StreamEvent, void, undefined>;
}

export function createEventLog(): EventLog {
  const events: StreamEvent[] = [];
  let ended = false;
  let changed = Promise.withResolvers<void>();

  const wake = (): void => {
    const { resolve } = changed;
    changed = Promise.withResolvers<void>();
    resolve();
  };

  async function* read(after: number, signal: AbortSignal): AsyncGenerator<StreamEvent, void, undefined> {
    signal.addEventListener("abort", wake, { once: true });
    try {
      for (let next = after + 1; !signal.aborted;) {
        const event = events[next];
        if (event === undefined && ended) return;
        if (event === undefined) await changed.promise;
        else {
          next += 1;
          yield event;
        }
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  return {
    append(event) {
      events.push({ ...event, sequence_number: events.length });
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    read,
  };
}
