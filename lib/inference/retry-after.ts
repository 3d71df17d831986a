/** What is read of an answer's headers. */
export interface HeaderSource {
  get(name: string): string | null;
}

/**
 * How long the other side asks us to wait, in milliseconds: `retry-after-ms` (OpenAI's own), else `Retry-After` as
 * seconds or as an HTTP date. `undefined` where it says nothing usable.
 */
export function retryAfterMs(headers: HeaderSource, nowMs: number): number | undefined {
  return (
    asWait(milliseconds(headers.get("retry-after-ms"))) ?? asWait(seconds(headers.get("retry-after"), nowMs))
  );
}

function milliseconds(value: string | null): number {
  return value === null || value.trim() === "" ? Number.NaN : Number(value);
}

function seconds(value: string | null, nowMs: number): number {
  const wait = milliseconds(value) * 1000;
  return Number.isNaN(wait) && value !== null ? Date.parse(value) - nowMs : wait;
}

function asWait(ms: number): number | undefined {
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) : undefined;
}
