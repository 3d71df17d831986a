import type { Clock } from "../clock.ts";
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

/** Looks at once and again and again, and gives the first refusal, or `accepted` at the end. Rejects with the signal's reason. */
export async function watchRefusals(
  { clock, look, signal }: WatchDeps,
  { forMs, everyMs }: WatchTime,
): Promise<KeyAnswer> {
  const endsAtMs = clock.now() + forMs;
  for (;;) {
    if ((await look()) === "refused") return "refused";
    if (clock.now() + everyMs > endsAtMs) return "accepted";
    await clock.sleep(everyMs, signal);
  }
}
