import { hasCode, RunnerError, toRunnerError } from "../errors.ts";
import type { Context } from "../studio/schemas.ts";
import type { SummaryUpdate } from "../studio/studio.ts";
import { summaryChars, summaryInputChars } from "./bounds.ts";
import { summaryInstructions } from "./instructions.ts";
import type { Model, Usage } from "./model.ts";
import { noUsage } from "./model.ts";
import { keepHead, keepTail } from "./text.ts";

export interface SummaryDeps {
  readonly model: Model;
  readonly summaryModel: string;
  /** `/updateWorkspaceRunnerSummary` for the leased workspace. */
  readonly saveSummary: (update: SummaryUpdate, signal: AbortSignal) => Promise<void>;
  /** The summary was not made (its tail stands in) or not saved (it is used all the same). */
  readonly onTrouble?: (step: "summarize" | "save", error: RunnerError) => void;
}

export interface EarlierContext {
  readonly text: string;
  readonly usage: Usage;
  /** Where the text is from: `tail` is the end of the verbatim text, where a summary could not be made. */
  readonly summarized: "verbatim" | "stored" | "fresh" | "tail";
}

/** With these the job's own rounds cannot succeed either. */
const hopeless = ["model_key_refused", "model_quota_exhausted"] as const;

/**
 * What was said before the recent messages (studio-api.md, "How the model input is made").
 * @throws RunnerError `model_key_refused`, `model_quota_exhausted`, `lease_lost`, `key_refused`; `signal.reason` when aborted
 */
export async function earlierContext(
  deps: SummaryDeps,
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
  const fresh = await summarize(deps, priorTextVerbatim, signal);
  if (fresh === undefined) {
    return { text: keepTail(priorTextVerbatim, summaryChars), usage: noUsage, summarized: "tail" };
  }
  await save(deps, { context, summaryText: fresh.text }, signal);
  return { ...fresh, summarized: "fresh" };
}

async function summarize(
  deps: SummaryDeps,
  prior: string,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly usage: Usage } | undefined> {
  try {
    const turn = await deps.model.generate(
      {
        model: deps.summaryModel,
        instructions: summaryInstructions(summaryChars),
        input: [{ type: "message", text: keepTail(prior, summaryInputChars) }],
        tools: [],
        store: false,
      },
      signal,
    );
    return { text: keepHead(turn.text.trim(), summaryChars), usage: turn.usage };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RunnerError) || !error.code.startsWith("model_") || hasCode(error, ...hopeless))
      throw error;
    deps.onTrouble?.("summarize", error);
    return undefined;
  }
}

interface Saving {
  readonly context: Context;
  readonly summaryText: string;
}

async function save(deps: SummaryDeps, { context, summaryText }: Saving, signal: AbortSignal): Promise<void> {
  const fromMessageId = context.priorMessages[0]?.id;
  const throughMessageId = context.priorMessages.at(-1)?.id;
  if (fromMessageId === undefined || throughMessageId === undefined) return;
  try {
    await deps.saveSummary({ summaryText, fromMessageId, throughMessageId }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, "lease_lost", "key_refused")) throw error;
    deps.onTrouble?.("save", toRunnerError(error));
  }
}
