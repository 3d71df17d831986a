import type { CycleReason } from "../lib/dispatch/cycle.ts";
import type { ErrorCode } from "../lib/core/errors.ts";

type GoodReason = Exclude<CycleReason, ErrorCode>;

/** What came of a dispatch cycle, in words; the reasons that are not here are codes of errors. */
const words: Readonly<Record<GoodReason, string>> = {
  leased: "leased jobs",
  empty: "nothing waits at Studio",
  at_capacity: "as many runs in flight as allowed",
  paused: "paused",
  overlap: "the cycle before was still at work",
  rate_limited: "Studio asked to wait",
  model_rate_limited: "the model asked to wait",
  daily_cap: "the day's spending has reached its cap",
};

/** A cycle ended as cycles do: Studio answered, or was not asked on purpose. */
export const isGoodReason = (reason: string): reason is GoodReason => Object.hasOwn(words, reason);

export const reasonInWords = (reason: string): string =>
  isGoodReason(reason) ? words[reason] : `failed: ${reason}`;
