import { RunnerError } from "../errors.ts";
import type { Fetch } from "../http.ts";

export interface Listener {
  readonly signal: AbortSignal;
  readonly heard: () => void;
}

/**
 * A global-style fetch that reports every byte heard. Bytes, not events, prove that a line lives: some servers send
 * nothing but comments while the model thinks.
 */
export function listeningFetch(fetch: Fetch, listener: Listener) {
  return async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const answer = await fetch(url instanceof Request ? url.url : String(url), {
      method: init?.method ?? "GET",
      headers: Object.fromEntries(new Headers(init?.headers)),
      ...(init?.body ? { body: jsonText(init.body) } : {}),
      signal: init?.signal ?? listener.signal,
    });
    listener.heard();
    return new Response(answer.body && ReadableStream.from(listening(answer.body, listener)), {
      status: answer.status,
      headers: [...answer.headers],
    });
  };
}

async function* listening(
  body: AsyncIterable<Uint8Array>,
  { heard }: Listener,
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    heard();
    yield chunk;
  }
}

function jsonText(body: unknown): string {
  if (typeof body === "string") return body;
  throw new RunnerError("internal", "the OpenAI client sent a body that is not JSON text");
}
