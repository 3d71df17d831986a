import type { ServerResponse } from "node:http";
import type { Clock } from "../../lib/core/clock.ts";
import { withSecurity } from "./http.ts";
import type { WorkspaceSummary } from "./page-api.ts";
import type { StudioPorts } from "./ports.ts";

const streamHeartbeatMs = 15_000;

export type ChangeListener = (summary: WorkspaceSummary) => void;

export interface Changes {
  readonly emit: (summary: WorkspaceSummary) => void;
  /** Returns a function that ends the subscription. */
  readonly subscribe: (listener: ChangeListener) => () => void;
}

export function createChanges(): Changes {
  const listeners = new Set<ChangeListener>();
  return {
    emit(summary) {
      for (const listener of listeners) listener(summary);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Sends the page's event stream, until the client disconnects or the server closes. */
export function streamChanges(
  ports: Pick<StudioPorts, "changes" | "clock" | "signal">,
  response: ServerResponse,
): void {
  const ended = new AbortController();
  const signal = AbortSignal.any([ports.signal, ended.signal]);
  response.writeHead(200, {
    ...withSecurity({ "content-type": "text/event-stream", "cache-control": "no-store" }),
  });
  response.write("retry: 1000\n\n");
  const unsubscribe = ports.changes.subscribe((summary) => {
    response.write(`event: workspace\ndata: ${JSON.stringify(summary)}\n\n`);
  });
  response.once("close", () => ended.abort());
  signal.addEventListener(
    "abort",
    () => {
      unsubscribe();
      response.end();
    },
    { once: true },
  );
  void repeat({ clock: ports.clock, everyMs: streamHeartbeatMs, signal }, () =>
    response.write(": heartbeat\n\n"),
  );
}

/** Runs `work` every `everyMs` until the signal aborts or `work` throws. */
export async function repeat(
  rhythm: { readonly clock: Clock; readonly everyMs: number; readonly signal: AbortSignal },
  work: () => void,
): Promise<void> {
  const { clock, everyMs, signal } = rhythm;
  const pause = (): Promise<boolean> =>
    clock.sleep(everyMs, signal).then(
      () => true,
      () => false,
    );
  while (await pause()) work();
}
