import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import type { LoopStart } from "../../../lib/agent/conversation.ts";
import type { ToolLoopJob } from "../../../lib/agent/tool-loop.ts";
import { runToolLoop } from "../../../lib/agent/tool-loop.ts";
import type { Model } from "../../../lib/model/model.ts";
import { noUsage } from "../../../lib/model/model.ts";
import { never } from "../model/support.ts";

/** The usage of this many rounds of the scripted model. */
export const usageOf = (rounds: number) => ({
  inputTokens: 100 * rounds,
  cachedInputTokens: 40 * rounds,
  cacheWriteTokens: 0,
  outputTokens: 30 * rounds,
  reasoningTokens: 10 * rounds,
  webSearches: 0,
});

/** Arguments of `create_list`. */
export const list = (id: string) => ({ list: { id, title: null, ordered: null, items: ["green", "black"] } });

export const teas = list("teas");

/** Where an earlier attempt left off: with no deliverables, unless overridden. */
export const startOf = (overrides: Partial<LoopStart> & Pick<LoopStart, "next">): LoopStart => ({
  draft: emptyDraft,
  rounds: 1,
  toolRounds: 1,
  repairs: 0,
  shortened: false,
  message: "",
  usage: noUsage,
  ...overrides,
});

export type LoopPorts = Parameters<typeof runToolLoop>[0];

export const job: ToolLoopJob = { model: "gpt-6-luna", input: "Compare teas.", store: true };

/** Runs the tool loop. One that resumes an earlier attempt has no input of its own. */
export const loop = (
  model: Model,
  changed: Partial<ToolLoopJob> = {},
  notes: Omit<LoopPorts, "model"> = {},
) => runToolLoop({ model, ...notes }, { ...job, ...(changed.from && { input: "" }), ...changed }, never);
