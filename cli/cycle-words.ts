import type { CycleReason } from "../lib/dispatch/cycle.ts";
import type { ErrorCode } from "../lib/core/errors.ts";

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

export const reasonInWords = (reason: string): string =>
  isGoodReason(reason) ? words[reason] : `failed: ${reason}`;
