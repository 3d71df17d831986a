import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import type { LoopStart } from "../../../lib/agent/conversation.ts";
import type { ToolLoopJob, Round } from "../../../lib/agent/tool-loop.ts";
import { runToolLoop } from "../../../lib/agent/tool-loop.ts";
import type { Model } from "../../../lib/model/model.ts";
import { noUsage } from "../../../lib/model/model.ts";
import { never } from "../model/support.ts";

/** Arguments of `create_list`. */
export const list = (id: string) => ({ list: { id, title: null, ordered: null, items: ["green", "black"] } });

export const teas = list("teas");

/** Where an earlier attempt left off: nothing made yet, unless told otherwise. */
export const startOf = (overrides: Partial<LoopStart> & Pick<LoopStart, "next">): LoopStart => ({
  draft: emptyDraft,
  rounds: 1,
  toolRounds: 1,
  repairs: 0,
  shortened: false,
  words: "",
  usage: noUsage,
  ...overrides,
});

export const loop = (
  model: Model,
  job: Partial<ToolLoopJob> = {},
  onRound?: (round: Round) => Promise<void> | void,
) =>
  runToolLoop(
    { model, ...(onRound === undefined ? {} : { onRound }) },
    { model: "gpt-6-luna", input: "Compare teas.", store: true, ...job },
    never,
  );
