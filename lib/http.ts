import { Agent, fetch as undiciFetch } from "undici";

/** The shape of `fetch` that Studio's client and the openai SDK take. Give it addresses, not `Request` objects. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export interface HttpOptions {
  /** How long a connection may take to come about. */
  readonly connectTimeoutMs?: number;
  /** How long an unused connection is kept. */
  readonly keepAliveMs?: number;
}

export interface Http {
  readonly fetch: Fetch;
  /** Ends every connection; requests still under way fail. */
  close(): Promise<void>;
}

/** What this runner calls itself to Studio and to the model's provider. */
export const userAgent = "studio-runner";

/** Longer than a function can live (900 s): silence is cut by the callers' deadlines, never by undici's own 300 s. */
const silenceMs = 960_000;

/**
 * undici's own `fetch` over one pool of connections. (Node's built-in `fetch` cuts silence at 300 s, and does not take
 * this undici's Agent.)
 */
export function createHttp(options: HttpOptions = {}): Http {
  const agent = new Agent({
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    connect: { timeout: options.connectTimeoutMs ?? 10_000 },
    // Longer than the pause between two polls, short enough to drop what a frozen function left behind.
    keepAliveTimeout: options.keepAliveMs ?? 10_000,
    keepAliveMaxTimeout: 60_000,
    // One request per connection: an aborted or broken one takes no other with it.
    allowH2: false,
  });
  // The one place where two sets of types for the same Fetch standard meet: undici's and Node's.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const base = undiciFetch as unknown as Fetch;
  const pooled: object = { dispatcher: agent };
  return {
    fetch: (input, init) => base(input, { ...init, ...pooled }),
    close: () => agent.destroy(),
  };
}
