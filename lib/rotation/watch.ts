import type { Clock } from "../core/clock.ts";
import type { KeyAnswer } from "./try-key.ts";

export interface WatchDeps {
  readonly clock: Clock;
  /** One look. `unknown`: nobody can be asked just now. */
  readonly look: () => Promise<KeyAnswer | "unknown">;
  readonly signal?: AbortSignal | undefined;
}

export interface WatchTime {
  readonly forMs: number;
  readonly everyMs: number;
}

export interface Watched {
  readonly answer: KeyAnswer;
  /** Until the last look that was answered. */
  readonly watchedMs: number;
}

/**
 * Looks at once, again and again, and at the very end; gives the first refusal, or `accepted` at the end. Rejects with the
 * signal's reason.
 */
export async function watchRefusals(
  { clock, look, signal }: WatchDeps,
  { forMs, everyMs }: WatchTime,
): Promise<Watched> {
  const startedAtMs = clock.now();
  let watchedMs = 0;
  for (;;) {
    const elapsedMs = clock.now() - startedAtMs;
    const answer = await look();
    if (answer !== "unknown") watchedMs = elapsedMs;
    if (answer === "refused") return { answer, watchedMs };
    const leftMs = startedAtMs + forMs - clock.now();
    if (elapsedMs >= forMs) return { answer: "accepted", watchedMs };
    await clock.sleep(Math.max(0, Math.min(everyMs, leftMs)), signal);
  }
}
