import type { Model } from "../model/model.ts";
import type { Ports } from "./ports.ts";

/** A model whose answers are timed. What fails, or is only followed by a later attempt, has no time of its own. */
export function timed(
  model: Model,
  { clock, metrics, pool }: Pick<Ports, "clock" | "metrics"> & { readonly pool: string },
): Model {
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
