import { hasCode, RunnerError, toRunnerError } from "../core/errors.ts";
import type { Context } from "../studio/schemas.ts";
import type { SummaryUpdate } from "../studio/studio.ts";
import { summaryInstructions } from "./instructions.ts";
import type { Model, ModelTurn, Usage } from "../model/model.ts";
import { noUsage } from "../model/model.ts";
import { keepHead, keepTail } from "../core/text.ts";

/** Characters of earlier history that go into a summary (Studio API, Runner context); the tail is kept. */
const summaryInputChars = 360_000;
/** Characters of a summary; also of the tail that stands in for one. */
const summaryChars = 39_800;

export interface SummaryOptions {
  readonly model: Model;
  readonly summaryModel: string;
  /** Whether the provider keeps the summary's response, so that it can be resumed. Default false. */
  readonly store?: boolean;
  /** Awaited as soon as the summary's response id is known. If it throws, its error passes through. */
  readonly onStarted?: (responseId: string) => Promise<void>;
  /** A response that an earlier attempt started for the summary: it is followed instead of requested, if usable. */
  readonly resumeFrom?: string | undefined;
  /** `/updateWorkspaceRunnerSummary` for the leased workspace. */
  readonly saveSummary: (update: SummaryUpdate, signal: AbortSignal) => Promise<void>;
  /** The summary was not made (the tail is used instead) or not saved (it is used anyway). */
  readonly onFailure?: (step: "summarize" | "save", error: RunnerError) => void;
}

export interface EarlierContext {
  readonly text: string;
  readonly usage: Usage;
  /** The text's source: `tail` is the end of the verbatim text, used if no summary could be made. */
  readonly summarized: "verbatim" | "stored" | "fresh" | "tail";
}

/** Errors with which the job's own rounds cannot succeed either. */
const hopeless = ["model_key_refused", "model_quota_exhausted"] as const;

/**
 * The context from before the recent messages (Studio API, Runner context).
 * @throws RunnerError `model_key_refused`, `model_quota_exhausted`, `lease_lost`, `key_refused`; `signal.reason` when
 * aborted; what `onStarted` throws
 */
export async function earlierContext(
  options: SummaryOptions,
  context: Context,
  signal: AbortSignal,
): Promise<EarlierContext> {
  const { priorTextVerbatim, priorNeedsSummarization, storedPriorSummary, storedSummaryCoversPrior } =
    context;
  if (!priorNeedsSummarization || priorTextVerbatim.trim() === "") {
    return { text: priorTextVerbatim, usage: noUsage, summarized: "verbatim" };
  }
  if (storedSummaryCoversPrior && storedPriorSummary !== null && storedPriorSummary.text.trim() !== "") {
    return { text: storedPriorSummary.text, usage: noUsage, summarized: "stored" };
  }
  const fresh = await summarize(options, priorTextVerbatim, signal);
  if (fresh === undefined) {
    return { text: keepTail(priorTextVerbatim, summaryChars), usage: noUsage, summarized: "tail" };
  }
  await save(options, { context, summaryText: fresh.text }, signal);
  return { ...fresh, summarized: "fresh" };
}

async function summarize(
  options: SummaryOptions,
  prior: string,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly usage: Usage } | undefined> {
  try {
    const turn = (await resumed(options, signal)) ?? (await ask(options, prior, signal));
    return { text: keepHead(turn.text.trim(), summaryChars), usage: turn.usage };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RunnerError) || !error.code.startsWith("model_") || hasCode(error, ...hopeless))
      throw error;
    options.onFailure?.("summarize", error);
    return undefined;
  }
}

/** Undefined if there is nothing to resume, or the response failed. */
async function resumed(
  { model, resumeFrom }: SummaryOptions,
  signal: AbortSignal,
): Promise<ModelTurn | undefined> {
  if (resumeFrom === undefined) return undefined;
  try {
    return await model.follow(resumeFrom, signal);
  } catch (error) {
    if (hasCode(error, "model_previous_response_missing", "model_failed")) return undefined;
    throw error;
  }
}

async function ask(options: SummaryOptions, prior: string, signal: AbortSignal): Promise<ModelTurn> {
  const { model, summaryModel, store = false, onStarted } = options;
  return await model.generate(
    {
      model: summaryModel,
      instructions: summaryInstructions(summaryChars),
      input: [{ type: "message", text: keepTail(prior, summaryInputChars) }],
      tools: [],
      store,
    },
    { signal, onStarted },
  );
}

interface Saving {
  readonly context: Context;
  readonly summaryText: string;
}

async function save(
  options: SummaryOptions,
  { context, summaryText }: Saving,
  signal: AbortSignal,
): Promise<void> {
  const fromMessageId = context.priorMessages[0]?.id;
  const throughMessageId = context.priorMessages.at(-1)?.id;
  if (fromMessageId === undefined || throughMessageId === undefined) return;
  try {
    await options.saveSummary({ summaryText, fromMessageId, throughMessageId }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, "lease_lost", "key_refused")) throw error;
    options.onFailure?.("save", toRunnerError(error));
  }
}
