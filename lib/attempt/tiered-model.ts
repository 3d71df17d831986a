import { hasCode } from "../core/errors.ts";
import type { Generation, Model, ModelRequest, ModelTurn } from "../model/model.ts";
import type { ServiceTier } from "../core/options.ts";
import { retryWaitMs, type Pace } from "../core/retry.ts";
import { timing } from "../core/timing.ts";
import type { Ports } from "./ports.ts";

export interface Tiering extends Pick<Ports, "clock" | "random" | "log" | "metrics"> {
  readonly pool: string;
  /** Absent: the provider's default. */
  readonly serviceTier: ServiceTier | undefined;
}

const pace: Pace = { baseMs: 5_000, maxMs: 60_000 };

/**
 * A model for one attempt that sends requests in this tier. If the tier has no capacity, the round waits and is retried, for
 * `timing.tierWaitMs` in all; after that the attempt uses the tier `auto`.
 */
export function inTier(model: Model, tiering: Tiering): Model {
  const { clock, random, log, metrics, pool } = tiering;
  let tier = tiering.serviceTier;
  let leftMs = timing.tierWaitMs;

  const generate = async (
    request: ModelRequest,
    generation: Generation,
    attempt: number,
  ): Promise<ModelTurn> => {
    const options = { ...request.options, serviceTier: tier };
    try {
      return await model.generate({ ...request, options }, generation);
    } catch (error) {
      if (!hasCode(error, "model_no_capacity") || tier !== "flex") throw error;
      const waitMs = Math.min(leftMs, retryWaitMs(pace, { attempt, askedMs: error.retryAfterMs }, random));
      if (waitMs <= 0) {
        log.warn("tier_fallback", { reason: error.code, error, tier, waitMs: timing.tierWaitMs });
        metrics.emit("TierFallbacks", { pool }, 1);
        tier = "auto";
      } else {
        leftMs -= waitMs;
        log.info("call_retried", { what: "model", reason: error.code, waitMs });
        await clock.sleep(waitMs, generation.signal);
      }
    }
    return await generate(request, generation, attempt + 1);
  };
  return { ...model, generate: (request, generation) => generate(request, generation, 1) };
}
