import type { ErrorCode } from "../core/errors.ts";
import type { Throttler } from "../runs/backoff.ts";

/** A cycle's result. An error's code if no poll was answered. */
export type CycleReason =
  | "leased"
  | "empty"
  | "at_capacity"
  | "daily_cap"
  | "paused"
  | "overlap"
  | "rate_limited"
  | "model_rate_limited"
  | ErrorCode;

export const backoffReasons: Readonly<Record<Throttler, CycleReason>> = {
  studio: "rate_limited",
  model: "model_rate_limited",
};
