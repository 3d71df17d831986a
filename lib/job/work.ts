import { countDeliverables, toPayload } from "../deliverables/payload.ts";
import { hasCode, RunnerError } from "../errors.ts";
import { buildInput } from "../inference/input.ts";
import { noUsage, type Model, type Usage } from "../inference/model.ts";
import { resume, type Resumed } from "../inference/resume.ts";
import { addUsage, runToolLoop, type LoopResult, type ToolLoopDeps } from "../inference/tool-loop.ts";
import type { Run } from "../ledger/run.ts";
import type { LogFields } from "../log.ts";
import type { Context } from "../studio/schemas.ts";
import { persist } from "./persist.ts";
import type { Product, WorkContext } from "./work-context.ts";

export interface WorkSettings {
  readonly modelName: string;
  readonly summaryModelName: string;
  /** The provider keeps responses: rounds are chained, and a later leg goes on where an earlier one ended. */
  readonly store: boolean;
  /** So much of the newest message is logged, in code points; absent: nothing of it. */
  readonly previewCharacters?: number | undefined;
  /** For one leg of the run. */
  readonly modelFor: (run: Run) => Model;
}

interface WorkDeps extends WorkSettings {
  readonly model: Model;
}

/**
 * From a leased workspace to deliverables that Studio can take: context, model input, rounds with the model, payload. A
 * later leg reads the chain of responses instead, replays its tool calls, and asks for nothing twice.
 */
export function createWork(settings: WorkSettings): (context: WorkContext) => Promise<Product> {
  return async (leg) => {
    const deps = { ...settings, model: settings.modelFor(leg.run) };
    const from = await takeUp(deps, leg);
    const { modelName: model, store } = deps;
    if (!from) {
      const { input, usage } = await prepare(deps, leg);
      // What an attempt has cost that is begun anew is paid for all the same.
      const counted = { summary: addUsage(leg.run.usage, usage), rounds: noUsage };
      const result = await runToolLoop(loopDeps(deps, leg, counted), { model, input, store }, leg.signal);
      return productOf(result, !leg.run.repaired);
    }
    const counted = { summary: usageBeyond(leg.run.usage, from.usage), rounds: from.usage };
    const job = { model, input: "", store, from };
    const result = await runToolLoop(loopDeps(deps, leg, counted), job, leg.signal);
    // The chain knows of a repair that the ledger could not note.
    return productOf(result, !leg.run.repaired && !from.sentBack);
  };
}

/** Where the earlier legs left off; undefined for a first leg, and where their chain cannot be read. */
async function takeUp({ model }: WorkDeps, leg: WorkContext): Promise<Resumed | undefined> {
  const { lastResponseId, previousResponseId, rounds, startedOver } = leg.run;
  if (lastResponseId === undefined && rounds === 0) return undefined;
  try {
    if (lastResponseId === undefined) throw notKept();
    const from = await resume(
      { model, round: rounds, previousResponseId: previousResponseId ?? undefined },
      lastResponseId,
      leg.signal,
    );
    leg.log.info("job_resumed", { round: rounds, responseId: lastResponseId });
    return from;
  } catch (error) {
    if (startedOver || !hasCode(error, "model_previous_response_missing")) throw error;
    leg.log.warn("job_started_over", { reason: error.code, explanation: error.message });
    await leg.note({ startedOver: true });
    return undefined;
  }
}

const notKept = (): RunnerError =>
  new RunnerError(
    "model_previous_response_missing",
    "the run's earlier rounds cannot be taken up: the provider keeps no responses",
  );

async function prepare(
  deps: WorkDeps,
  leg: WorkContext,
): Promise<{ readonly input: string; readonly usage: Usage }> {
  const { job, log, signal } = leg;
  const context = await persist(leg, signal, () => job.context(signal));
  const createdAtMs = newestMessageAtMs(context);
  if (createdAtMs !== undefined) leg.onJobRead(createdAtMs);
  const { input, summarized, usage } = await buildInput(
    context,
    {
      model: deps.model,
      summaryModel: deps.summaryModelName,
      store: deps.store,
      resumeFrom: leg.run.summaryResponseId,
      onStarted: (summaryResponseId) => leg.note({ summaryResponseId }),
      saveSummary: (update, until) => job.updateSummary(update, until),
      onTrouble: (what, error) => log.warn("prior_context", { what, reason: error.code, error }),
    },
    signal,
  );
  log.info("prior_context", { what: summarized, ...preview(context, deps.previewCharacters) });
  return { input, usage };
}

function preview({ recentMessages, legacyIdea }: Context, characters = 0): LogFields {
  const newest = recentMessages.toSorted((a, b) => (b.createdAtMs ?? 0) - (a.createdAtMs ?? 0))[0];
  const text = newest?.text ?? legacyIdea ?? "";
  return characters === 0 ? {} : { preview: Array.from(text).slice(0, characters).join("") };
}

/** By our clock, where Studio's offset from it is known. */
function newestMessageAtMs({ recentMessages, skewMs = 0 }: Context): number | undefined {
  const times = recentMessages.flatMap(({ createdAtMs }) => createdAtMs ?? []);
  return times.length === 0 ? undefined : Math.max(...times) - skewMs;
}

/** What was used before this leg's first round. The loop does not know of the summary. */
interface Counted {
  readonly summary: Usage;
  readonly rounds: Usage;
}

function loopDeps({ model, store }: WorkDeps, leg: WorkContext, counted: Counted): ToolLoopDeps {
  let usedBefore = addUsage(counted.summary, counted.rounds);
  return {
    model,
    onStarted: ({ number, responseId, previousResponseId, usage }) => {
      usedBefore = addUsage(counted.summary, usage);
      return leg.onRoundStarted({
        number,
        responseId: store ? responseId : undefined,
        previousResponseId,
        usage: usedBefore,
      });
    },
    onRound: ({ number, responseId, calls, usage }) => {
      usedBefore = addUsage(usedBefore, usage);
      leg.onRoundEnded({ number, responseId, calls, usage: usedBefore });
    },
  };
}

/** What the ledger has noted beyond the chain's rounds. */
function usageBeyond(noted: Usage, chain: Usage): Usage {
  const beyond = (of: (usage: Usage) => number): number => Math.max(0, of(noted) - of(chain));
  return {
    inputTokens: beyond((usage) => usage.inputTokens),
    cachedInputTokens: beyond((usage) => usage.cachedInputTokens),
    outputTokens: beyond((usage) => usage.outputTokens),
    reasoningTokens: beyond((usage) => usage.reasoningTokens),
  };
}

function productOf(result: LoopResult, mayRepair: boolean): Product {
  const product = {
    payload: toPayload(result.workbench, result.message),
    deliverables: countDeliverables(result.workbench),
  };
  if (!mayRepair) return product;
  return {
    ...product,
    repair: async (refusal) => productOf(await result.goOn(mendPrompt(refusal)), false),
  };
}

const mendPrompt = (refusal: string): string =>
  `Studio did not accept the result: ${refusal}. Mend what it names with the tools, then write the whole message again.`;
