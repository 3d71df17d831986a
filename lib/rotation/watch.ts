import type { Clock } from "../core/clock.ts";
import type { KeyAnswer } from "./try-key.ts";

export interface Watch {
  readonly clock: Clock;
  /** Checks once. `unknown`: Studio cannot be asked at the moment. */
  readonly check: () => Promise<KeyAnswer | "unknown">;
  readonly signal?: AbortSignal | undefined;
}

export interface WatchTime {
  readonly forMs: number;
  readonly everyMs: number;
}

export interface Watched {
  readonly answer: KeyAnswer;
  /** Time from the start to the last check that was answered. */
  readonly watchedMs: number;
}

/**
 * Checks at once, then every `everyMs`, and at the end of `forMs`. Returns the first refusal, or `accepted`
 * at the end. Rejects with the signal's reason.
 */
export async function watchRefusals(
  { clock, check, signal }: Watch,
  { forMs, everyMs }: WatchTime,
): Promise<Watched> {
  const startedAtMs = clock.now();
  let watchedMs = 0;
  for (;;) {
    const elapsedMs = clock.now() - startedAtMs;
    const answer = await check();
    if (answer !== "unknown") watchedMs = elapsedMs;
    if (answer === "refused") return { answer, watchedMs };
    const leftMs = startedAtMs + forMs - clock.now();
    if (elapsedMs >= forMs) return { answer: "accepted", watchedMs };
    await clock.sleep(Math.max(0, Math.min(everyMs, leftMs)), signal);
  }
}
