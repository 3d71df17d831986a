import type { MessageRow, WorkspaceRow } from "./store.ts";

export interface ContextLimits {
  /** Maximum number of recent messages; older ones are prior. */
  readonly recentMessages: number;
  /** Asks for a summary if the prior text has more tokens than this. */
  readonly priorTokens: number;
}

export interface ContextSource {
  readonly workspace: WorkspaceRow;
  /** The whole thread, oldest first. */
  readonly messages: readonly MessageRow[];
  readonly jobId: number;
  /** 0: no job has completed yet. */
  readonly lastCompletedJobId: number;
  readonly limits: ContextLimits;
}

/**
 * The object of `/getWorkspaceRunnerContext` (Studio API, Runner context). Recent messages are those
 * that no completed job has answered. Messages for a later job are left out.
 */
export function buildContext(source: ContextSource) {
  const { workspace, jobId, lastCompletedJobId, limits } = source;
  const known = source.messages.filter((row) => row.role === "user" && row.jobId <= jobId);
  const unanswered = known.filter((row) => row.jobId > lastCompletedJobId).slice(-limits.recentMessages);
  const recent = unanswered.map(contextMessage);
  const prior = known.slice(0, known.length - unanswered.length).map(contextMessage);
  const recentText = joinTexts(recent);
  const priorTextVerbatim = joinTexts(prior);
  const priorTokenEstimate = estimateTokens(priorTextVerbatim);
  const storedPriorSummary = storedSummary(workspace);
  return {
    workspaceId: workspace.workspaceId,
    title: workspace.title,
    legacyIdea: workspace.legacyIdea,
    messageCount: known.length,
    recentMessages: recent,
    priorMessages: prior,
    recentText,
    priorTextVerbatim,
    recentTokenEstimate: estimateTokens(recentText),
    priorTokenEstimate,
    priorNeedsSummarization: priorTokenEstimate > limits.priorTokens,
    storedPriorSummary,
    storedSummaryCoversPrior:
      storedPriorSummary !== null &&
      storedPriorSummary.fromMessageId === prior[0]?.id &&
      storedPriorSummary.throughMessageId === prior.at(-1)?.id,
  };
}

function contextMessage(row: MessageRow) {
  const subtitle = row.subtitle === null ? {} : { subtitle: row.subtitle };
  return { id: row.id, role: "user" as const, text: row.text, ...subtitle, createdAtMs: row.createdAtMs };
}

function storedSummary(workspace: WorkspaceRow) {
  const { summaryText, summaryFromId, summaryThroughId } = workspace;
  if (summaryText === null || summaryFromId === null || summaryThroughId === null) return null;
  return { text: summaryText, fromMessageId: summaryFromId, throughMessageId: summaryThroughId };
}

const joinTexts = (messages: readonly { readonly text: string }[]): string =>
  messages.map((message) => message.text).join("\n\n");

const estimateTokens = (text: string): number => Math.ceil(text.length / 4);
