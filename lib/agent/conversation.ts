import { limits } from "../deliverables/limits.ts";
import { toPayload } from "../deliverables/payload.ts";
import { danglingPlaceholders, repairPrompt } from "../deliverables/placeholders.ts";
import { applyToolCall } from "../deliverables/registry.ts";
import type { Draft } from "../deliverables/draft.ts";
import { emptyDraft } from "../deliverables/draft.ts";
import { hasCode, RunnerError } from "../core/errors.ts";
import { maxRepairRounds, maxToolRounds } from "./bounds.ts";
import type { InputItem, ModelRequest, ModelTurn, Usage } from "../model/model.ts";

/** What a run has come to, whichever attempt did it. */
interface Standing {
  readonly draft: Draft;
  readonly rounds: number;
  readonly toolRounds: number;
  readonly repairs: number;
  /** The model has been asked to shorten its message; it is not asked twice. */
  readonly shortened: boolean;
  /** The model's newest words, which stand if it ends without any. */
  readonly words: string;
}

/** A run's talk with the model as it stands between two rounds. Immutable: each step returns the next state. */
export interface Conversation extends Standing {
  readonly previousResponseId: string | undefined;
  /** What the provider has not seen yet. */
  readonly unsent: readonly InputItem[];
  /** A response of an earlier attempt that answers `unsent` already: it is followed, not asked for. */
  readonly running: string | undefined;
  /** Everything before `unsent`; undefined where an earlier attempt had it. */
  readonly remembered: readonly InputItem[] | undefined;
  /** Rounds refer to the stored one before them; false: the whole conversation is sent. */
  readonly chained: boolean;
}

/** Where an earlier attempt left off (resume.ts). */
export interface LoopStart extends Standing {
  /** Of all that has been heard up to here. */
  readonly usage: Usage;
  readonly next: NextRound;
}

export type NextRound =
  /** The round is asked for. */
  | {
      readonly kind: "ask";
      readonly previousResponseId: string;
      /** What the provider has not seen yet. */
      readonly input: readonly InputItem[];
    }
  /** The round has been asked for, with this input: its response is waited for. */
  | {
      readonly kind: "follow";
      readonly responseId: string;
      /** Undefined: it is the run's first. */
      readonly previousResponseId: string | undefined;
      readonly input: readonly InputItem[];
    };

export interface Opening {
  /** Not used with `from`: the provider has it. */
  readonly input: string;
  readonly store: boolean;
  readonly from?: LoopStart;
}

export function beginConversation({ input, store, from }: Opening): Conversation {
  if (from !== undefined) return takeUp(from);
  return {
    draft: emptyDraft,
    rounds: 0,
    toolRounds: 0,
    repairs: 0,
    shortened: false,
    words: "",
    previousResponseId: undefined,
    unsent: [{ type: "message", text: input }],
    running: undefined,
    remembered: [],
    chained: store,
  };
}

function takeUp({ usage: _counted, next, ...standing }: LoopStart): Conversation {
  return {
    ...standing,
    previousResponseId: next.previousResponseId,
    unsent: next.input,
    running: next.kind === "follow" ? next.responseId : undefined,
    remembered: undefined,
    chained: true,
  };
}

/** A conversation as another attempt takes it up. */
export function startFrom(now: Conversation, usage: Usage, next: NextRound): LoopStart {
  const { draft, rounds, toolRounds, repairs, shortened, words } = now;
  return { draft, rounds, toolRounds, repairs, shortened, words, usage, next };
}

/** What the next round sends. A provider that does not keep responses is told not to, so that it hands out what can be sent again. */
export function nextRequest(now: Conversation): Pick<ModelRequest, "input" | "previousResponseId" | "store"> {
  const { previousResponseId, remembered = [], unsent } = now;
  if (!now.chained) return { input: [...remembered, ...unsent], store: false };
  return { input: unsent, store: true, ...(previousResponseId === undefined ? {} : { previousResponseId }) };
}

/** Goes on without the chain; undefined where that is impossible. */
export function unchain(now: Conversation): Conversation | undefined {
  const isChained = now.chained && now.previousResponseId !== undefined;
  return isChained && now.remembered !== undefined ? { ...now, chained: false } : undefined;
}

export function hear(now: Conversation, turn: ModelTurn): Conversation {
  return {
    ...now,
    previousResponseId: turn.responseId,
    unsent: [],
    running: undefined,
    remembered: now.remembered && [
      ...now.remembered,
      ...now.unsent,
      { type: "earlier_turn", items: turn.outputItems },
    ],
    rounds: now.rounds + 1,
    words: turn.text.trim() === "" ? now.words : turn.text,
  };
}

export type Step =
  | { readonly kind: "go_on"; readonly now: Conversation }
  /** The message can be delivered with what has been made. */
  | { readonly kind: "done" };

/**
 * What follows from a turn that has been heard: live, and again when an earlier attempt's rounds are replayed. No turn: the
 * model ended without a word.
 * @throws RunnerError `tool_rounds_exceeded`, `deliverable_placeholder_mismatch`, `assistant_message_too_long`, `model_empty`
 */
export function proceed(heard: Conversation, turn: ModelTurn | undefined): Step {
  if (turn !== undefined && turn.calls.length > 0) return { kind: "go_on", now: answerCalls(heard, turn) };
  const fault = faultIn(heard);
  return fault === undefined ? { kind: "done" } : { kind: "go_on", now: askForRepair(heard, fault) };
}

/** What the model itself can put right in its message. */
function faultIn({ draft, words }: Conversation): RunnerError | undefined {
  try {
    toPayload(draft, words);
    return undefined;
  } catch (error) {
    if (hasCode(error, "deliverable_placeholder_mismatch", "assistant_message_too_long")) return error;
    throw error;
  }
}

/**
 * Every call is carried out and answered, in the order of the calls; a refused call is answered with what is wrong. The API
 * takes one output for each call id: calls that share one are answered together, and one that is repeated word by word counts once.
 * @throws RunnerError `tool_rounds_exceeded`
 */
function answerCalls(now: Conversation, { calls }: ModelTurn): Conversation {
  if (now.toolRounds >= maxToolRounds) {
    throw new RunnerError(
      "tool_rounds_exceeded",
      `the model was still calling tools after ${maxToolRounds} rounds, so the job was stopped`,
    );
  }
  let { draft } = now;
  const outputs = new Map<string, readonly string[]>();
  const seen = new Set<string>();
  for (const call of calls) {
    const words = JSON.stringify([call.callId, call.name, call.arguments]);
    if (seen.has(words)) continue;
    seen.add(words);
    const applied = applyToolCall(draft, call);
    draft = applied.draft;
    outputs.set(call.callId, [...(outputs.get(call.callId) ?? []), applied.output]);
  }
  const unsent = [...outputs].map(([callId, parts]): InputItem => ({
    type: "tool_output",
    callId,
    output: parts.join("\n"),
  }));
  return { ...now, draft, unsent, toolRounds: now.toolRounds + 1 };
}

/** Asks the model to correct its message. @throws `fault` itself when that has been tried often enough */
function askForRepair(now: Conversation, fault: RunnerError): Conversation {
  const { words, draft } = now;
  const isTooLong = hasCode(fault, "assistant_message_too_long");
  if (now.repairs >= maxRepairRounds || (isTooLong && now.shortened)) throw fault;
  const text = isTooLong
    ? shortenPrompt(words.trim().length)
    : repairPrompt(danglingPlaceholders(words, draft), draft);
  // A model that ended without a word has not heard it yet.
  const isUnsent = now.unsent.some((item) => item.type === "message" && item.text === text);
  return {
    ...now,
    unsent: isUnsent ? now.unsent : [...now.unsent, { type: "message", text }],
    repairs: now.repairs + 1,
    shortened: now.shortened || isTooLong,
  };
}

const shortenPrompt = (length: number): string =>
  `Your message has ${length} characters; at most ${limits.assistantMessageChars} are allowed. Move what is long into ` +
  "deliverables, a file for running text, and write the whole message again, shorter, with their placeholders.";
