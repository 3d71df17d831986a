import { countDeliverables, toPayload } from "../deliverables/payload.ts";
import { hasCode, RunnerError } from "../core/errors.ts";
import { buildInput } from "../agent/input.ts";
import { addUsage, noUsage, usageBeyond, type Model, type RoundOptions, type Usage } from "../model/model.ts";
import { FirstRoundFailed } from "../agent/conversation.ts";
import { resume, type Resumed } from "../agent/resume.ts";
import { runToolLoop, type LoopResult, type LoopContext } from "../agent/tool-loop.ts";
import { oneLine } from "../core/text.ts";
import { longestTitle, type Inherited, type Run } from "../runs/run.ts";
import type { Log, LogFields } from "../core/log.ts";
import type { Context } from "../studio/schemas.ts";
import { jobDigest } from "./job-digest.ts";
import { retryThroughOutage } from "./outage-retry.ts";
import type { Product, WorkContext } from "./work-context.ts";

export interface WorkSettings {
  readonly modelName: string;
  readonly summaryModelName: string;
  /** Options of a job's rounds. The summary is requested without them. */
  readonly roundOptions?: RoundOptions | undefined;
  /** The pool owner's instructions, added to ours. */
  readonly instructions?: string | undefined;
  /** Whether the provider keeps responses, so that rounds are chained and a later attempt can resume. */
  readonly store: boolean;
  /** How much of the newest message is logged, in code points; absent: nothing. */
  readonly previewCharacters?: number | undefined;
  /** The model for one attempt, with the attempt's log. */
  readonly modelFor: (log: Log) => Model;
}

interface WorkPorts extends WorkSettings {
  readonly model: Model;
  /** Read from Studio once. */
  readonly context: () => Promise<Context>;
}

/**
 * Turns a leased workspace into a payload for Studio: reads the context, builds the model's input, runs the rounds. A
 * later attempt, or a new run of the same job, retrieves the stored responses and resumes from them; no round is requested twice.
 */
export function createWork(settings: WorkSettings): (context: WorkContext) => Promise<Product> {
  return async (attempt) => {
    const ports = {
      ...settings,
      model: asOwner(settings.modelFor(attempt.log), attempt),
      context: once(() => readContext(attempt)),
    };
    const earlier = await retrieveRounds(ports, attempt);
    const resumed = earlier && (await orStartOver(attempt, () => resumeJob(ports, attempt, earlier)));
    return resumed ?? (await startJob(ports, attempt));
  };
}

async function startJob(ports: WorkPorts, attempt: WorkContext): Promise<Product> {
  const { input, usage } = await prepare(ports, attempt);
  // If the job starts over, the usage of its first start was billed too.
  const usageBeside = addUsage(attempt.run.usage, usage);
  if (usageBeside.inputTokens > 0) await attempt.saveProgress({ usageBeside });
  const loop = loopContext(ports, attempt, { usageBeside, usageBefore: noUsage });
  const result = await runToolLoop(loop, { ...requestOf(ports), input }, attempt.signal);
  return productOf(result, !attempt.run.repaired);
}

async function resumeJob(ports: WorkPorts, attempt: WorkContext, earlier: EarlierRounds): Promise<Product> {
  const { from, repaired } = earlier;
  const loop = loopContext(ports, attempt, earlier);
  const result = await runToolLoop(loop, { ...requestOf(ports), input: "", from }, attempt.signal);
  // The stored responses show a repair that could not be written to the run store.
  return productOf(result, !repaired && !from.sentBack);
}

const requestOf = ({ modelName: model, store, roundOptions: options, instructions }: WorkPorts) => ({
  model,
  store,
  options,
  instructions,
});

/**
 * Undefined if the earlier responses cannot be used and the job starts over. If rounds had succeeded, this happens only once
 * per run, because they are paid for again.
 */
async function orStartOver<T>(attempt: WorkContext, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const { startedOver } = attempt.run;
    const losesRounds = !(error instanceof FirstRoundFailed);
    if (!hasCode(error, "model_previous_response_missing") || (startedOver && losesRounds)) throw error;
    attempt.log.warn("job_started_over", { reason: error.code, explanation: error.message });
    await attempt.saveProgress({
      startedOver: startedOver || losesRounds,
      responseIds: [],
      rounds: 0,
      usageBefore: noUsage,
    });
    return undefined;
  }
}

/** Checks ownership before each request, so that a superseded attempt sends none. */
function asOwner(model: Model, { mayAsk }: WorkContext): Model {
  return { ...model, generate: (request, generation) => model.generate(request, { ...generation, mayAsk }) };
}

/** Rounds to resume from. */
interface EarlierRounds extends Pick<Run, "usageBeside" | "usageBefore" | "repaired"> {
  readonly from: Resumed;
}

/** The stored rounds of earlier attempts, or of an earlier run of the same job; undefined if there is nothing to resume. */
async function retrieveRounds(ports: WorkPorts, attempt: WorkContext): Promise<EarlierRounds | undefined> {
  const { rounds, responseIds, startedOver, inherited } = attempt.run;
  if (responseIds.length > 0 || rounds > 0) return retrieveOwnRounds(ports, attempt);
  return inherited && !startedOver ? retrieveInheritedRounds(ports, attempt, inherited) : undefined;
}

function retrieveOwnRounds({ model }: WorkPorts, attempt: WorkContext): Promise<EarlierRounds | undefined> {
  const { rounds, responseIds, usageBeside, usageBefore, repaired } = attempt.run;
  return orStartOver(attempt, async () => {
    if (responseIds.length === 0) throw notKept();
    const from = await resume({ model }, responseIds, attempt.signal);
    attempt.log.info("job_resumed", { round: rounds, responseId: responseIds.at(-1) });
    return { from, usageBeside, usageBefore, repaired };
  });
}

/** Studio can lease a job again that an earlier run worked on. Rounds that were paid for are reused. */
async function retrieveInheritedRounds(
  { model, context }: WorkPorts,
  attempt: WorkContext,
  inherited: Inherited,
): Promise<EarlierRounds | undefined> {
  if (jobDigest(await context()) !== inherited.jobDigest) return undefined;
  const { runId: earlierRunId, responseIds, usage: usageBefore, usageBeside, repaired } = inherited;
  const rounds = responseIds.length;
  return orStartOver(attempt, async () => {
    const from = await resume({ model }, responseIds, attempt.signal);
    await attempt.saveProgress({ rounds, responseIds, usageBefore, usageBeside, repaired });
    attempt.log.info("job_resumed", { earlierRunId, round: rounds, responseId: responseIds.at(-1) });
    return { from, usageBeside, usageBefore, repaired };
  });
}

const notKept = (): RunnerError =>
  new RunnerError(
    "model_previous_response_missing",
    "the run's earlier responses cannot be used: the provider keeps no responses",
  );

async function readContext(attempt: WorkContext): Promise<Context> {
  const { job, signal, onJobRead } = attempt;
  const context = await retryThroughOutage(attempt, signal, () => job.context(signal));
  const title = oneLine(context.title ?? "", longestTitle) || undefined;
  onJobRead({ jobDigest: jobDigest(context), createdAtMs: newestMessageAtMs(context), title });
  return context;
}

async function prepare(
  ports: WorkPorts,
  attempt: WorkContext,
): Promise<{ readonly input: string; readonly usage: Usage }> {
  const { job, log, signal } = attempt;
  const context = await ports.context();
  const { input, summarized, usage } = await buildInput(
    context,
    {
      model: ports.model,
      summaryModel: ports.summaryModelName,
      store: ports.store,
      resumeFrom: attempt.run.summaryResponseId,
      onStarted: (summaryResponseId) => attempt.saveProgress({ summaryResponseId }),
      saveSummary: (update, until) => job.updateSummary(update, until),
      onFailure: (what, error) => log.warn("prior_context", { what, reason: error.code, error }),
    },
    signal,
  );
  log.info("prior_context", { what: summarized, ...preview(context, ports.previewCharacters) });
  return { input, usage };
}

function preview({ recentMessages, legacyIdea }: Context, characters = 0): LogFields {
  const newest = recentMessages.toSorted((a, b) => (b.createdAtMs ?? 0) - (a.createdAtMs ?? 0))[0];
  const text = newest?.text ?? legacyIdea ?? "";
  return characters === 0 ? {} : { preview: Array.from(text).slice(0, characters).join("") };
}

/** In our clock's time, if the offset of Studio's clock is known. */
function newestMessageAtMs({ recentMessages, skewMs = 0 }: Context): number | undefined {
  const times = recentMessages.flatMap(({ createdAtMs }) => createdAtMs ?? []);
  return times.length === 0 ? undefined : Math.max(...times) - skewMs;
}

function loopContext(
  { model }: WorkPorts,
  { onRoundStarted, onRoundEnded, onToolCall }: WorkContext,
  { usageBeside, usageBefore }: Pick<Run, "usageBeside" | "usageBefore">,
): LoopContext {
  // Usage that an earlier run reported is not reported again.
  const ofRun = <T extends { readonly usage: Usage }>(round: T): T => ({
    ...round,
    usage: usageBeyond(addUsage(usageBeside, round.usage), usageBefore),
  });
  return {
    model,
    onStarted: (start) => onRoundStarted(ofRun(start)),
    onToolCall,
    onRound: (end) => onRoundEnded(ofRun(end)),
  };
}

function productOf(result: LoopResult, mayRepair: boolean): Product {
  const product = {
    payload: toPayload(result.draft, result.message),
    deliverables: countDeliverables(result.draft),
  };
  if (!mayRepair) return product;
  return {
    ...product,
    repair: async (refusal) => productOf(await result.continueWith(repairPrompt(refusal)), false),
  };
}

const repairPrompt = (refusal: string): string =>
  `Studio did not accept the result: ${refusal}. Correct what it names with the tools, then write the whole message again.`;

/** Calls `make` on first use and caches its result. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
