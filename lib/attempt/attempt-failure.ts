import type { ErrorCode } from "../core/errors.ts";

/** What can end an attempt from outside, in words for the user. */
const phrases = {
  crashed: "crashed",
  out_of_memory: "ran out of memory",
  killed: "was killed (as happens when memory runs out)",
  timed_out: "ran out of time",
  event_lost: "could not be started",
  silent: "stopped responding",
} as const satisfies Partial<Record<ErrorCode, string>>;

export type AttemptFailure = keyof typeof phrases;

export function isFailure(code: string): code is AttemptFailure {
  return Object.hasOwn(phrases, code);
}

/** "the worker ran out of memory"; undefined for other codes. */
export const explainFailure = (code: string): string | undefined =>
  isFailure(code) ? `the worker ${phrases[code]}` : undefined;

const times = ["", "", " twice", " three times", " four times", " five times"];

/** "The worker ran out of memory twice and crashed." */
export function explainFailures(failures: readonly string[]): string {
  const counts = new Map<AttemptFailure, number>();
  for (const failure of failures.filter(isFailure)) counts.set(failure, (counts.get(failure) ?? 0) + 1);
  const parts = [...counts].map(
    ([failure, count]) => `${phrases[failure]}${times[count] ?? ` ${count} times`}`,
  );
  const last = parts.pop() ?? "did not finish";
  return `The worker ${parts.length > 0 ? `${parts.join(", ")} and ` : ""}${last}.`;
}

/** Lambda's words for how an invocation ended; the first match wins. */
const signs: readonly (readonly [pattern: RegExp, failure: AttemptFailure])[] = [
  [/timed out|Sandbox\.Timedout/i, "timed_out"],
  [/OutOfMemory|heap out of memory/i, "out_of_memory"],
  [/signal: killed/i, "killed"],
];

/** The failure that an invocation's error type and message describe. */
export function failureOf(error: string): AttemptFailure {
  return signs.find(([pattern]) => pattern.test(error))?.[1] ?? "crashed";
}
