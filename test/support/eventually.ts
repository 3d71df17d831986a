import { setTimeout as pause } from "node:timers/promises";

const everyMs = 10;
/**
 * Reached only if something hangs. Shorter than the test's own limit, whose error could not say what was
 * waited for.
 */
const hangMs = 110_000;

/** Calls `look` until it returns a value. @throws Error that names `what` after `limitMs` */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  limitMs = hangMs,
): Promise<T> {
  for (const untilMs = Date.now() + limitMs; ; await pause(everyMs)) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > untilMs) throw new Error(`${what}: not within ${limitMs} ms`);
  }
}

/** Like `eventually`, for a condition. */
export async function eventuallyTrue(what: string, holds: () => boolean, limitMs?: number): Promise<void> {
  await eventually(what, () => (holds() ? true : undefined), limitMs);
}
