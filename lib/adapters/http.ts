import { Agent, fetch, type Dispatcher } from "undici";

/** The User-Agent for Studio and the model's provider. */
export const userAgent = "studio-runner";

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly redirect?: "manual";
  readonly signal?: AbortSignal;
}

/** The part of a `Response` that the runner reads. */
export interface HttpAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<Uint8Array> | null;
  text(): Promise<string>;
}

/** undici's `fetch`; Node's own fits too. */
export type Fetch = (url: string, init?: HttpRequest) => Promise<HttpAnswer>;

export interface HttpOptions {
  readonly connectMs?: number;
  /** How long to wait for an answer's head, and between two chunks of its body. */
  readonly silenceMs?: number;
}

/** HTTP over one pool of connections. */
export interface Http {
  /** Follows no redirects, so that a key is not sent elsewhere. @throws TypeError, see `brokenExchange`; the signal's reason */
  readonly fetch: typeof fetch;
  /** The same connections, with another silence limit. */
  silentFor(silenceMs: number): Dispatcher;
  /** Closes all connections; requests in flight fail. */
  close(): Promise<void>;
}

/** Idle connections are kept longer than the pause between two polls, but not long, because Lambda freezes functions. */
const keepAliveMs = 10_000;

/** The default silence limit equals the longest time limit of Studio's routes. */
export function createHttp({ connectMs = 10_000, silenceMs = 60_000 }: HttpOptions = {}): Http {
  const agent = new Agent({
    connect: { timeout: connectMs },
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    allowH2: false, // one connection a request: what breaks one leaves the others alone
  });
  return {
    fetch: (url, init) => fetch(url, { dispatcher: agent, redirect: "manual", ...init }),
    silentFor: (ms) =>
      agent.compose(
        (dispatch) => (options, handler) =>
          dispatch({ ...options, headersTimeout: ms, bodyTimeout: ms }, handler),
      ),
    close: () => agent.destroy(),
  };
}

/** undici reports this like a broken exchange. */
const wrongCall = "UND_ERR_INVALID_ARG";

/** Why an exchange broke; `undefined` for other errors of `fetch`: an abort's reason, or a wrong call. */
export function brokenExchange(thrown: unknown): Error | undefined {
  if (!(thrown instanceof TypeError) || !/^(?:fetch failed|terminated)$/.test(thrown.message))
    return undefined;
  const { cause } = thrown;
  return cause instanceof Error && "code" in cause && cause.code !== wrongCall ? cause : undefined;
}

/** Reads a body as text, up to the limit; closes the connection if more is left. */
export async function readText(
  body: HttpAnswer["body"],
  longestBytes: number,
): Promise<{ readonly text: string; readonly truncated: boolean }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let truncated = false;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    truncated = bytes > longestBytes;
    if (truncated) break; // leaving the loop cancels the body
    chunks.push(chunk);
  }
  return { text: new TextDecoder().decode(Buffer.concat(chunks)), truncated };
}
