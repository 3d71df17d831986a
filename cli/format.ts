/** Numbers and times in a readable form. */

/** `0.4 s`, `12 s`, `5 min`, `2 h 10 min`, `3 d`. */
export function formatDuration(ms: number): string {
  if (ms < 10_000) return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

export const formatAge = (ms: number): string => `${formatDuration(ms)} ago`;

/** In cents, or with more digits below ten cents: `$12.30`, `$0.0042`. */
export function formatUsd(usd: number): string {
  if (usd === 0 || usd >= 0.1) return `$${usd.toFixed(2)}`;
  return `$${usd < 0.0001 ? usd.toExponential(1) : usd.toFixed(4)}`;
}

/** In UTC, like the logs and the day's spending: `2026-11-20 03:04:05`. */
export const formatTime = (atMs: number): string =>
  new Date(atMs).toISOString().slice(0, 19).replace("T", " ");

/** The same for programs, with milliseconds: `2026-11-20T03:04:05.678Z`. */
export const isoTime = (atMs: number): string => new Date(atMs).toISOString();

export const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;
