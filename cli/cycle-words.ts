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

export const reasonInWords = (reason: string): string =>
  isGoodReason(reason) ? words[reason] : `failed: ${reason}`;
