import { RunnerError } from "../core/errors.ts";
import type { Context } from "../studio/schemas.ts";
import type { Usage } from "../model/model.ts";
import { noUsage } from "../model/model.ts";
import type { EarlierContext, SummaryOptions } from "./summary.ts";
import { earlierContext } from "./summary.ts";

export interface ModelInput {
  readonly input: string;
  /** Usage of the summary, if one was made. */
  readonly usage: Usage;
  /** `idea`: a workspace without messages. */
  readonly summarized: EarlierContext["summarized"] | "idea";
}

/**
 * The model's input for a job (Studio API, Runner context: how the model input is made).
 * @throws RunnerError `empty_context`, and what `earlierContext` throws
 */
export async function buildInput(
  context: Context,
  options: SummaryOptions,
  signal: AbortSignal,
): Promise<ModelInput> {
  const { title, recentText } = context;
  if (context.messageCount === 0) {
    const idea = requireText(context.legacyIdea ?? "");
    return {
      input: modelInput({ title, earlier: "", recentText: idea }),
      usage: noUsage,
      summarized: "idea",
    };
  }
  requireText(recentText + context.priorTextVerbatim);
  const { text, usage, summarized } = await earlierContext(options, context, signal);
  return { input: modelInput({ title, earlier: text, recentText }), usage, summarized };
}

export interface InputParts {
  readonly title: string | null;
  readonly earlier: string;
  readonly recentText: string;
}

/** Title, earlier context and recent text under headings, without empty sections. */
export function modelInput({ title, earlier, recentText }: InputParts): string {
  const sections: readonly (readonly [string, string])[] = [
    ["Workspace title", title ?? ""],
    ["Earlier in this workspace", earlier],
    ["The request", recentText],
  ];
  return sections
    .filter(([, text]) => text.trim() !== "")
    .map(([heading, text]) => `# ${heading}\n\n${text.trim()}`)
    .join("\n\n");
}

function requireText(text: string): string {
  if (text.trim() !== "") return text;
  throw new RunnerError("empty_context", "the workspace holds nothing to work on: no message and no idea");
}
