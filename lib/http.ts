import { Agent, request as requestPlain, type ClientRequest, type IncomingMessage } from "node:http";
import { Agent as TlsAgent, request as requestTls } from "node:https";

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Redirects are never followed here; say so to any other `fetch` where a key is sent. */
  readonly redirect?: "manual";
  readonly signal?: AbortSignal;
}

/** As much of a fetch `Response` as the runner needs; a `Response` is one. */
export interface HttpAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Iterable<[string, string]> & { get(name: string): string | null };
  /** To be read to its end, left (which cuts the connection) or aborted. */
  readonly body: AsyncIterable<Uint8Array> | null;
  /** Fails beyond 16 MiB. */
  text(): Promise<string>;
  json(): Promise<unknown>;
}

/**
 * `fetch`, as far as the runner needs it; Node's own fits.
 * @throws the signal's reason when aborted; TypeError "fetch failed" or, in mid-body, "terminated" for a broken exchange,
 *   whose cause has the system's or the parser's code; anything else is a wrong call
 */
export type Fetch = (url: string, init?: HttpRequest) => Promise<HttpAnswer>;

export interface HttpOptions {
  /** How long a connection may be silent while it comes about. */
  readonly connectTimeoutMs?: number;
  /** How long an answer may be silent, and a connection too; absent: for as long as the caller lets it. */
  readonly silenceMs?: number;
  /** How long an unused connection is kept. */
  readonly keepAliveMs?: number;
}

export interface Http {
  /** Follows no redirect: a key goes nowhere else. */
  readonly fetch: Fetch;
  /** Ends every connection; requests still under way fail. */
  close(): Promise<void>;
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

/** What this runner calls itself to Studio and to the model's provider. */
export const userAgent = "studio-runner";

/**
 * A small `fetch` over Node's own HTTP client, which the AWS SDK loads too. It cuts silence
 * only where it is told to (Node's `fetch` cuts at 300 s, and models think for longer), and it costs a cold start nothing: undici, and the
 * global `fetch`, `Headers` and `Response`, which load it, cost 20 to 60 ms (docs/decisions/0013).
 */
export function createHttp(options: HttpOptions = {}): Http {
  const { silenceMs, connectTimeoutMs = silenceMs ?? 10_000, keepAliveMs = 10_000 } = options;
  // Unused connections are kept for longer than the pause between two polls, and not for long: a function freezes.
  const pool = { keepAlive: true, timeout: keepAliveMs };
  const agents = { "http:": new Agent(pool), "https:": new TlsAgent(pool) };
  const open = (url: URL, init: HttpRequest): ClientRequest => {
    const { method = "GET", headers = {} } = init;
    // Bodies come as they are: nothing here unpacks them.
    const sent = {
      method,
      hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: url.port,
      path: url.pathname + url.search,
      headers: { "accept-encoding": "identity", ...headers },
    };
    return url.protocol === "http:"
      ? requestPlain({ ...sent, agent: agents["http:"] })
      : requestTls({ ...sent, agent: agents["https:"] });
  };
  return {
    fetch: async (url, init = {}) => {
      init.signal?.throwIfAborted();
      const outgoing = open(new URL(url), init);
      limitConnecting(outgoing, connectTimeoutMs);
      if (silenceMs !== undefined) limitSilence(outgoing, silenceMs);
      return await exchange(outgoing, init);
    },
    close: async () => {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** Why an exchange broke; `undefined` for anything else that `fetch` throws: an abort's reason, or a wrong call. */
export function brokenExchange(thrown: unknown): Error | undefined {
  if (!(thrown instanceof TypeError) || !/^(?:fetch failed|terminated)$/.test(thrown.message))
    return undefined;
  return thrown.cause instanceof Error && "code" in thrown.cause ? thrown.cause : undefined;
}

/** A timer of its own: a socket's counts anew whenever something is written, and is the agent's. */
function limitConnecting(outgoing: ClientRequest, connectTimeoutMs: number): void {
  outgoing.once("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(
      () => outgoing.destroy(timedOut("connection", connectTimeoutMs)),
      connectTimeoutMs,
    );
    const done = (): void => clearTimeout(timer);
    socket.once("encrypted" in socket ? "secureConnect" : "connect", done);
    socket.once("close", done);
  });
}

function limitSilence(outgoing: ClientRequest, silenceMs: number): void {
  outgoing.setTimeout(silenceMs, () => outgoing.destroy(timedOut("answer", silenceMs)));
}

const timedOut = (what: string, limitMs: number): Error =>
  Object.assign(new Error(`no ${what} within ${limitMs} ms`), { code: "ETIMEDOUT" });

function exchange(outgoing: ClientRequest, { body, signal }: HttpRequest): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const onAbort = (): void => void outgoing.destroy();
  const broken = (word: string, cause: unknown): unknown =>
    signal?.aborted ? signal.reason : new TypeError(word, { cause });
  signal?.addEventListener("abort", onAbort, { once: true });
  outgoing.once("response", (incoming) =>
    resolve(answerOf(incoming, (cause) => broken("terminated", cause))),
  );
  outgoing.on("error", (error) => reject(broken("fetch failed", error)));
  outgoing.once("close", () => {
    signal?.removeEventListener("abort", onAbort);
    // Closed without an answer or an error, as after "101 Switching Protocols".
    reject(broken("fetch failed", Object.assign(new Error("no answer"), { code: "ECONNRESET" })));
  });
  outgoing.end(body);
  return promise;
}

/** A `Response` of these takes no body, not even an empty one. */
const bodiless: readonly number[] = [204, 205, 304];

function answerOf(incoming: IncomingMessage, broken: (cause: unknown) => unknown): HttpAnswer {
  const status = incoming.statusCode ?? 0;
  const text = (): Promise<string> => textOf(incoming, broken);
  return {
    status,
    ok: status >= 200 && status < 300,
    headers: {
      get: (name) => {
        const value = incoming.headers[name.toLowerCase()];
        return value === undefined ? null : String(value);
      },
      [Symbol.iterator]: () =>
        Object.entries(incoming.headers)
          .flatMap(([name, value]): [string, string][] =>
            value === undefined ? [] : [[name, String(value)]],
          )
          .values(),
    },
    body: bodiless.includes(status) ? null : bytesOf(incoming, broken),
    text,
    json: async () => JSON.parse(await text()) as unknown,
  };
}

const longestTextBytes = 16 * 1024 * 1024;
const tooLong = (): Error =>
  Object.assign(new Error(`more than ${longestTextBytes} bytes`), { code: "ERR_ANSWER_TOO_LONG" });

/** By events: `node:stream/consumers` and the stream's own iterator cost several times as much. */
function textOf(incoming: IncomingMessage, broken: (cause: unknown) => unknown): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  incoming.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > longestTextBytes) incoming.destroy(tooLong());
    else chunks.push(chunk);
  });
  incoming.once("end", () => resolve(withoutMark(Buffer.concat(chunks).toString("utf8"))));
  incoming.once("error", (cause) => reject(broken(cause)));
  // A stream that broke before anybody listened tells nobody any more.
  if (incoming.destroyed) reject(broken(incoming.errored));
  return promise;
}

/** As `fetch` does. */
const withoutMark = (text: string): string => (text.startsWith("\uFEFF") ? text.slice(1) : text);

async function* bytesOf(
  incoming: AsyncIterable<Uint8Array>,
  broken: (cause: unknown) => unknown,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* incoming;
  } catch (cause) {
    throw broken(cause);
  }
}
