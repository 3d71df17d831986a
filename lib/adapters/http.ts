import { Agent, fetch, type Dispatcher } from "undici";

/** What this runner calls itself to Studio and to the model's provider. */
export const userAgent = "studio-runner";

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly redirect?: "manual";
  readonly signal?: AbortSignal;
}

/** As much of a `Response` as the runner reads. */
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
  /** How long an answer may be silent: before its head, and between two parts of its body. */
  readonly silenceMs?: number;
}

/** HTTP over one pool of connections. */
export interface Http {
  /** Follows no redirect: a key goes nowhere else. @throws TypeError, see `brokenExchange`; the signal's reason */
  readonly fetch: typeof fetch;
  /** The same connections, for a request with a silence limit of its own. */
  silentFor(silenceMs: number): Dispatcher;
  /** Ends every connection; requests still under way fail. */
  close(): Promise<void>;
}

/** Unused connections are kept for longer than the pause between two polls, and not for long: a function freezes. */
const keepAliveMs = 10_000;

/** The default silence is as long as the longest time limit of a route of Studio. */
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

/** undici reports it as it reports a broken exchange. */
const wrongCall = "UND_ERR_INVALID_ARG";

/** Why an exchange broke; `undefined` for anything else that `fetch` throws: an abort's reason, or a wrong call. */
export function brokenExchange(thrown: unknown): Error | undefined {
  if (!(thrown instanceof TypeError) || !/^(?:fetch failed|terminated)$/.test(thrown.message))
    return undefined;
  const { cause } = thrown;
  return cause instanceof Error && "code" in cause && cause.code !== wrongCall ? cause : undefined;
}

/** A body as text, or as much of it as the limit allows: the connection of what is left unread is cut. */
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
