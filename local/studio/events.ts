import type { ServerResponse } from "node:http";
import type { Clock } from "../../lib/core/clock.ts";
import { withSecurity, type StreamAnswer } from "./http.ts";
import type { WorkspaceSummary } from "./page-api.ts";
import type { StudioPorts } from "./ports.ts";

const streamHeartbeatMs = 15_000;

/** `summary` is undefined for a workspace that was deleted. */
export type ChangeListener = (workspaceId: string, summary: WorkspaceSummary | undefined) => void;

export interface Changes {
  readonly emit: ChangeListener;
  /** Returns a function that ends the subscription. */
  readonly subscribe: (listener: ChangeListener) => () => void;
}

export function createChanges(): Changes {
  const listeners = new Set<ChangeListener>();
  return {
    emit(workspaceId, summary) {
      for (const listener of listeners) listener(workspaceId, summary);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The event stream of Studio's page: its workspaces, and the runs that work on them. */
export function streamChanges({
  changes,
  runFeed,
  ...ports
}: Pick<StudioPorts, "changes" | "clock" | "signal" | "runFeed">): StreamAnswer {
  return streamEvents(ports, (write) => {
    const endChanges = changes.subscribe((workspaceId, summary) => {
      if (summary) write("workspace", summary);
      else write("deleted", { workspaceId });
    });
    const endRuns = runFeed?.subscribe((change) => write("run", change));
    return () => {
      endChanges();
      endRuns?.();
    };
  });
}

/**
 * Server-sent events, until the client disconnects or the server closes.
 * @param subscribe returns a function that ends the subscription
 */
export function streamEvents(
  { clock, signal: closing }: Pick<StudioPorts, "clock" | "signal">,
  subscribe: (write: (event: string, data: unknown) => void) => () => void,
): StreamAnswer {
  const stream = (response: ServerResponse): void => {
    const ended = new AbortController();
    const signal = AbortSignal.any([closing, ended.signal]);
    response.writeHead(200, {
      ...withSecurity({ "content-type": "text/event-stream", "cache-control": "no-store" }),
    });
    response.write("retry: 1000\n\n");
    const unsubscribe = subscribe((event, data) =>
      response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    );
    response.once("close", () => ended.abort());
    signal.addEventListener(
      "abort",
      () => {
        unsubscribe();
        response.end();
      },
      { once: true },
    );
    void repeat({ clock, everyMs: streamHeartbeatMs, signal }, () => response.write(": heartbeat\n\n"));
  };
  return { stream };
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
