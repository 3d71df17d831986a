import type { CycleReason } from "../lib/dispatch/cycle-reason.ts";
import type { ErrorCode } from "../lib/core/errors.ts";
import type { LastCycle } from "../lib/runs/dispatch-lock.ts";

type GoodReason = Exclude<CycleReason, ErrorCode>;

/** Descriptions of how a dispatch cycle ended. Reasons that are missing here are error codes. */
const words: Readonly<Record<GoodReason, string>> = {
  leased: "leased jobs",
  empty: "no job waits at Studio",
  at_capacity: "the maximum number of runs is in flight",
  paused: "paused",
  overlap: "the previous cycle was still running",
  rate_limited: "Studio asked to wait",
  model_rate_limited: "the model asked to wait",
  daily_cap: "the day's spending has reached its cap",
};

/** Whether the cycle ended normally: Studio answered, or was deliberately not asked. */
export const isGoodReason = (reason: string): reason is GoodReason => Object.hasOwn(words, reason);

/** Whether the last cycle failed, and no later poll has succeeded. A long cycle records its first good poll before it ends. */
export const hasFailedLast = (
  { reason, atMs }: LastCycle,
  goodPollAtMs: number | null | undefined,
): boolean => !isGoodReason(reason) && atMs >= (goodPollAtMs ?? 0);

/** What to do, and the line for the command line that does it, without its name: `resume`. */
export interface Remedy {
  readonly text: string;
  readonly command?: string;
}

interface Failure {
  readonly text: string;
  /** Default: doctor finds out. */
  readonly remedy?: Remedy;
}

const storeKeys = "secrets set runner-keys";

/** What a cycle's error code means, and what to do. Other codes are shown as they are. */
const failures: Readonly<Partial<Record<ErrorCode, Failure>>> = {
  key_refused: {
    text: "Studio knows none of its runner keys",
    remedy: { text: "To store one that Studio knows:", command: storeKeys },
  },
  secret_missing: {
    text: "no runner key is stored",
    remedy: { text: "To store one:", command: storeKeys },
  },
  secret_malformed: {
    text: "the stored runner keys cannot be read",
    remedy: { text: "To store them again:", command: storeKeys },
  },
  secrets_unavailable: { text: "Secrets Manager did not give it the runner keys" },
  studio_unavailable: { text: "Studio cannot be reached" },
  studio_contract: { text: "Studio's answer is not in the format of its API" },
  studio_rejected: { text: "Studio refused the request" },
  run_store_unavailable: { text: "the run store cannot be reached" },
  invoke_failed: { text: "the processor could not be invoked" },
  config_invalid: { text: "its settings are wrong" },
};

const isKnown = (code: string): code is keyof typeof failures => Object.hasOwn(failures, code);
const failureOf = (code: string): Failure | undefined => (isKnown(code) ? failures[code] : undefined);

/** "failed: Studio cannot be reached (studio_unavailable)" */
export function reasonInWords(reason: string): string {
  if (isGoodReason(reason)) return words[reason];
  const text = failureOf(reason)?.text;
  return text === undefined ? `failed: ${reason}` : `failed: ${text} (${reason})`;
}

/** "because Studio cannot be reached (studio_unavailable)" */
export function becauseOf(code: string): string {
  const text = failureOf(code)?.text;
  return text === undefined ? `because of ${code}` : `because ${text} (${code})`;
}

export const remedyOf = (code: string): Remedy =>
  failureOf(code)?.remedy ?? { text: "To find out what is wrong:", command: "doctor" };

/** "To lease jobs again: npm run runner -- resume" */
export const remedyText = ({ text, command }: Remedy, commandLine: (line: string) => string): string =>
  command === undefined ? text : `${text} ${commandLine(command)}`;
