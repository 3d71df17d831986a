import { longestAnswerBytes } from "../core/json.ts";
import { withTimeLimit, type Clock } from "../core/clock.ts";
import { readText, userAgent, type Fetch, type HttpAnswer } from "../adapters/http.ts";
import { bugOf, faultOf, unsendable, type Answer, type Attempt } from "./errors.ts";
import type { RouteBody } from "./routes.ts";

export interface Wire {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

export interface Ask {
  readonly attempt: Attempt;
  readonly credential: string;
  readonly body: unknown;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly wants: RouteBody;
}

type Head = Omit<Answer, "text" | "truncated">;

/** The longest body of a refusal, or of an answer whose status is enough, that is read. */
const longestWordsBytes = 64 * 1024;

/**
 * Sends one POST to Studio and returns its whole answer, whatever its status.
 * @throws RunnerError `studio_unavailable` for network faults and the time limit; `key_refused` for a key that cannot be
 *   sent; `signal.reason` at once when aborted; bugs unchanged
 */
export async function post(wire: Wire, ask: Ask): Promise<Answer> {
  const { attempt, signal, limitMs } = ask;
  if (!/^[\x21-\x7e]+$/.test(ask.credential)) throw unsendable(attempt);
  const seen: { head?: Head } = {};
  const limit = { clock: wire.clock, limitMs, signal, what: `POST ${attempt.path}` };
  try {
    return await withTimeLimit(limit, async (inner) => {
      const sentAtMs = wire.clock.now();
      const response = await send(wire, ask, inner);
      const head = headOf(response, sentAtMs, wire.clock.now());
      seen.head = head;
      const wantsAll = response.ok && ask.wants === "json";
      return {
        ...head,
        ...(await readText(response.body, wantsAll ? longestAnswerBytes : longestWordsBytes)),
      };
    });
  } catch (error) {
    signal.throwIfAborted();
    const fault = faultOf(error, attempt);
    if (fault === undefined) throw bugOf(error, attempt);
    // The status is enough, even if the body never ends.
    if (seen.head !== undefined && (seen.head.status >= 300 || ask.wants === "any"))
      return { ...seen.head, text: "", truncated: true };
    throw fault;
  }
}

function send(wire: Wire, ask: Ask, signal: AbortSignal): Promise<HttpAnswer> {
  return wire.fetch(`${wire.baseUrl}${ask.attempt.path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${ask.credential}`,
      "content-type": "application/json",
      accept: "application/json",
      "user-agent": userAgent,
    },
    body: JSON.stringify(ask.body),
    redirect: "manual", // the key goes nowhere else
    signal,
  });
}

function headOf(response: HttpAnswer, sentAtMs: number, receivedAtMs: number): Head {
  const header = (name: string): string | undefined => response.headers.get(name) ?? undefined;
  const skewMs = clockSkewMs({ sentAtMs, receivedAtMs, date: header("date") });
  return { status: response.status, header, receivedAtMs, skewMs };
}

export interface Timestamps {
  /** Epoch ms by our clock. */
  readonly sentAtMs: number;
  /** Epoch ms by our clock, when the answer's headers arrived. */
  readonly receivedAtMs: number;
  /** The answer's `Date` header. */
  readonly date: string | undefined;
}

/** Smaller differences are within the header's precision of a second and the round trip. */
const toleratedMs = 2_000;
/** A clock that is off by more than a day is ignored. */
const absurdMs = 86_400_000;

/**
 * Studio's clock minus ours in milliseconds, measured at the middle of the call; 0 if it is within 2 s or the
 * call's own duration, out of range, or unknown. Our time = Studio's time − skew.
 */
export function clockSkewMs({ sentAtMs, receivedAtMs, date }: Timestamps): number {
  const dateMs = date === undefined ? Number.NaN : Date.parse(date);
  if (Number.isNaN(dateMs)) return 0;
  // The header truncates to seconds: half a second is missing on average.
  const skewMs = Math.round(dateMs + 500 - (sentAtMs + receivedAtMs) / 2);
  const doubtMs = (receivedAtMs - sentAtMs) / 2 + 500;
  const offMs = Math.abs(skewMs);
  return offMs > Math.max(toleratedMs, doubtMs) && offMs <= absurdMs ? skewMs : 0;
}
