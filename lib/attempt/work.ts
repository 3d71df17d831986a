import { countDeliverables, toPayload } from "../deliverables/payload.ts";
import { hasCode, RunnerError } from "../core/errors.ts";
import { buildInput } from "../agent/input.ts";
import { addUsage, noUsage, usageBeyond, type Model, type RoundOptions, type Usage } from "../model/model.ts";
import { resume, type Resumed } from "../agent/resume.ts";
import { runToolLoop, type LoopResult, type LoopContext } from "../agent/tool-loop.ts";
import type { Inherited, Run } from "../runs/run.ts";
import type { LogFields } from "../core/log.ts";
import type { Context } from "../studio/schemas.ts";
import { jobDigest } from "./delivery.ts";
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
  /** For one attempt. */
  readonly modelFor: () => Model;
}

interface WorkPorts extends WorkSettings {
  readonly model: Model;
  /** Read from Studio once. */
  readonly context: () => Promise<Context>;
}

/**
 * Turns a leased workspace into a payload for Studio: reads the context, builds the model's input, runs the rounds. A
 * later attempt, or a new run of the same job, reads the stored responses instead and replays their tool calls; no round is requested
 * twice.
 */
export function createWork(settings: WorkSettings): (context: WorkContext) => Promise<Product> {
  return async (attempt) => {
    const ports = {
      ...settings,
      model: asOwner(settings.modelFor(), attempt),
      context: once(() => readContext(attempt)),
    };
    const taken = await takeUp(ports, attempt);
    const goneOn = taken && (await orStartOver(attempt, () => goOn(ports, attempt, taken)));
    return goneOn ?? (await begin(ports, attempt));
  };
}

async function begin(ports: WorkPorts, attempt: WorkContext): Promise<Product> {
  const { input, usage } = await prepare(ports, attempt);
  // Usage of an abandoned start was billed too.
  const usageBeside = addUsage(attempt.run.usage, usage);
  if (usageBeside.inputTokens > 0) await attempt.saveProgress({ usageBeside });
  const counted = { usageBeside, usageBefore: noUsage, rounds: noUsage };
  const result = await runToolLoop(
    loopContext(ports, attempt, counted),
    { ...asked(ports), input },
    attempt.signal,
  );
  return productOf(result, !attempt.run.repaired);
}

async function goOn(ports: WorkPorts, attempt: WorkContext, { from, run }: TakenUp): Promise<Product> {
  const counted = { ...run, rounds: from.usage };
  const result = await runToolLoop(
    loopContext(ports, attempt, counted),
    { ...asked(ports), input: "", from },
    attempt.signal,
  );
  // The stored responses show a repair that could not be written to the run store.
  return productOf(result, !run.repaired && !from.sentBack);
}

const asked = ({ modelName: model, store, roundOptions: options, instructions }: WorkPorts) => ({
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
    if (!hasCode(error, "model_previous_response_missing") || (startedOver && !error.retryable)) throw error;
    attempt.log.warn("job_started_over", { reason: error.code, explanation: error.message });
    await attempt.saveProgress({
      startedOver: startedOver || !error.retryable,
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

type Standing = Pick<Run, "usageBeside" | "usageBefore" | "repaired">;

interface TakenUp {
  readonly from: Resumed;
  readonly run: Standing;
}

/** Where earlier attempts, or an earlier run of the same job, stopped; undefined if there is nothing to resume. */
async function takeUp(ports: WorkPorts, attempt: WorkContext): Promise<TakenUp | undefined> {
  const { rounds, responseIds, startedOver, inherited } = attempt.run;
  if (responseIds.length > 0 || rounds > 0) return takeUpOwn(ports, attempt);
  return inherited && !startedOver ? takeOver(ports, attempt, inherited) : undefined;
}

function takeUpOwn({ model }: WorkPorts, attempt: WorkContext): Promise<TakenUp | undefined> {
  const { rounds, responseIds } = attempt.run;
  return orStartOver(attempt, async () => {
    if (responseIds.length === 0) throw notKept();
    const from = await resume({ model }, responseIds, attempt.signal);
    attempt.log.info("job_resumed", { round: rounds, responseId: responseIds.at(-1) });
    return { from, run: attempt.run };
  });
}

/** Studio can lease a job again that an earlier run worked on. Rounds that were paid for are reused. */
async function takeOver(
  { model, context }: WorkPorts,
  attempt: WorkContext,
  earlier: Inherited,
): Promise<TakenUp | undefined> {
  if (jobDigest(await context()) !== earlier.jobDigest) return undefined;
  const { runId: earlierRunId, responseIds, usage: usageBefore, usageBeside, repaired } = earlier;
  const rounds = responseIds.length;
  return orStartOver(attempt, async () => {
    const from = await resume({ model }, responseIds, attempt.signal);
    await attempt.saveProgress({ rounds, responseIds, usageBefore, usageBeside, repaired });
    attempt.log.info("job_taken_over", { earlierRunId, round: rounds, responseId: responseIds.at(-1) });
    return { from, run: { usageBeside, usageBefore, repaired } };
  });
}

const notKept = (): RunnerError =>
  new RunnerError(
    "model_previous_response_missing",
    "the run's earlier rounds cannot be taken up: the provider keeps no responses",
  );

async function readContext(attempt: WorkContext): Promise<Context> {
  const { job, signal, onJobRead } = attempt;
  const context = await retryThroughOutage(attempt, signal, () => job.context(signal));
  onJobRead(jobDigest(context), newestMessageAtMs(context));
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

/** Usage before this attempt's first round. */
interface Counted extends Pick<Run, "usageBeside" | "usageBefore"> {
  /** Usage of the rounds that it resumes from. */
  readonly rounds: Usage;
}

function loopContext({ model, store }: WorkPorts, attempt: WorkContext, counted: Counted): LoopContext {
  const { usageBeside, usageBefore } = counted;
  // Usage that an earlier run reported is not reported again.
  const own = (rounds: Usage): Usage => usageBeyond(addUsage(usageBeside, rounds), usageBefore);
  let { rounds } = counted;
  return {
    model,
    onStarted: ({ number, responseId, usage }) => {
      rounds = usage;
      return attempt.onRoundStarted({
        number,
        responseId: store ? responseId : undefined,
        usage: own(rounds),
      });
    },
    onRound: ({ number, responseId, calls, usage }) => {
      rounds = addUsage(rounds, usage);
      attempt.onRoundEnded({ number, responseId, calls, usage: own(rounds) });
    },
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
    repair: async (refusal) => productOf(await result.goOn(mendPrompt(refusal)), false),
  };
}

const mendPrompt = (refusal: string): string =>
  `Studio did not accept the result: ${refusal}. Mend what it names with the tools, then write the whole message again.`;

/** Calls `make` on first use and caches its result. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
