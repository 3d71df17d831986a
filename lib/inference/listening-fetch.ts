import { RunnerError } from "../errors.ts";

/** What the adapter needs of a fetch: undici's and Node's own both fit. */
export type ModelFetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly signal: AbortSignal;
  },
) => Promise<{
  readonly status: number;
  readonly headers: Iterable<[string, string]>;
  readonly body: ReadableStream<Uint8Array> | null;
}>;

export interface Listener {
  readonly signal: AbortSignal;
  readonly heard: () => void;
}

/**
 * A global-style fetch that reports every byte heard. Bytes, not events, prove that a line lives: some servers send
 * nothing but comments while the model thinks.
 */
export function listeningFetch(fetch: ModelFetch, listener: Listener) {
  return async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const answer = await fetch(url instanceof Request ? url.url : String(url), {
      method: init?.method ?? "GET",
      headers: Object.fromEntries(new Headers(init?.headers)),
      ...(init?.body ? { body: jsonText(init.body) } : {}),
      signal: init?.signal ?? listener.signal,
    });
    listener.heard();
    const listening = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        listener.heard();
        controller.enqueue(chunk);
      },
    });
    return new Response(answer.body?.pipeThrough(listening) ?? null, {
      status: answer.status,
      headers: [...answer.headers],
    });
  };
}

function jsonText(body: unknown): string {
  if (typeof body === "string") return body;
  throw new RunnerError("internal", "the OpenAI client sent a body that is not JSON text");
}
