import type { Clock } from "../core/clock.ts";
import type { Model } from "../model/model.ts";
import type { Metrics } from "../core/metrics.ts";

export interface TimeDeps {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly pool: string;
}

/** A model whose answers are timed. What fails, or is only followed by a later attempt, has no time of its own. */
export function timed(model: Model, { clock, metrics, pool }: TimeDeps): Model {
  return {
    ...model,
    generate: async (request, generation) => {
      const startedAtMs = clock.now();
      const turn = await model.generate(request, generation);
      const seconds = (clock.now() - startedAtMs) / 1000;
      metrics.emit("InferenceSeconds", { pool, model: request.model }, seconds);
      return turn;
    },
  };
}
