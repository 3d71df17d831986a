import { timing } from "./timing.ts";

/** Reads one header of an answer by its lower-case name. */
export type HeaderReader = (name: string) => string | null | undefined;

/**
 * How long the other side asks us to wait, in milliseconds: `retry-after-ms` (OpenAI's own), else `Retry-After` as
 * seconds or as an HTTP date, counted from `nowMs` (by the sender's clock where it is known). From 0 to
 * `timing.maxRetryWaitMs`; `undefined` where it says nothing usable.
 */
export function readRetryAfterMs(header: HeaderReader, nowMs: number): number | undefined {
  return scaled(header("retry-after-ms"), 1) ?? parseRetryAfter(header("retry-after"), nowMs);
}

/** A `Retry-After` header, seconds or an HTTP date; bounded as `readRetryAfterMs`. */
export function parseRetryAfter(value: string | null | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? "";
  const atMs = /^[A-Z][a-z]+,? .* GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return scaled(text, 1_000) ?? bounded(atMs - nowMs);
}

function scaled(value: string | null | undefined, unitMs: number): number | undefined {
  const text = value?.trim() ?? "";
  return /^\d+(?:\.\d+)?$/.test(text) ? bounded(Number(text) * unitMs) : undefined;
}

const bounded = (ms: number): number | undefined =>
  Number.isNaN(ms) ? undefined : Math.round(Math.min(Math.max(0, ms), timing.maxRetryWaitMs));
