import { countDeliverables, toPayload } from "../deliverables/payload.ts";
import { buildInput } from "../inference/input.ts";
import type { Model } from "../inference/model.ts";
import { addUsage, runToolLoop } from "../inference/tool-loop.ts";
import type { Product, WorkContext } from "./leg.ts";
import { persist } from "./persist.ts";

export interface WorkDeps {
  readonly model: Model;
  readonly modelName: string;
  readonly summaryModelName: string;
  /** Chain stored responses; see lib/inference/tool-loop.ts. */
  readonly store: boolean;
}

/** From a leased workspace to deliverables that Studio can take: context, model input, rounds with the model, payload. */
export function createWork(deps: WorkDeps): (context: WorkContext) => Promise<Product> {
  return async (leg) => {
    const { job, log, signal } = leg;
    const context = await persist(leg, signal, () => job.context(signal));
    const {
      input,
      summarized,
      usage: summaryUsage,
    } = await buildInput(
      context,
      {
        model: deps.model,
        summaryModel: deps.summaryModelName,
        saveSummary: (update, until) => job.updateSummary(update, until),
        onTrouble: (what, error) => log.warn("prior_context", { what, reason: error.code, error }),
      },
      signal,
    );
    log.info("prior_context", { what: summarized });

    let usage = summaryUsage;
    const result = await runToolLoop(
      {
        model: deps.model,
        onRound: (round) => {
          usage = addUsage(usage, round.usage);
          return leg.onRound({ ...round, usage });
        },
      },
      { model: deps.modelName, input, store: deps.store },
      signal,
    );
    const payload = toPayload(result.workbench, result.message);
    return { payload, deliverables: countDeliverables(result.workbench) };
  };
}
