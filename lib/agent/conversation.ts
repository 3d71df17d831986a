import { limits } from "../deliverables/fields.ts";
import { toPayload } from "../deliverables/payload.ts";
import { danglingPlaceholders, repairPrompt } from "../deliverables/placeholders.ts";
import { applyToolCall } from "../deliverables/registry.ts";
import type { Draft } from "../deliverables/draft.ts";
import { emptyDraft } from "../deliverables/draft.ts";
import { hasCode, RunnerError } from "../core/errors.ts";
import type { InputItem, ModelRequest, ModelTurn, Usage } from "../model/model.ts";

/** Rounds of one job in which the model calls tools, repairs included (Studio API, Complete job). */
export const maxToolRounds = 24;
/** Times that a finished message is sent back for correction. */
export const maxRepairRounds = 4;

/** The result of a run's rounds so far, over all attempts. */
interface LoopState {
  readonly draft: Draft;
  readonly rounds: number;
  readonly toolRounds: number;
  readonly repairs: number;
  /** Whether the model was asked to shorten its message; this happens once. */
  readonly shortened: boolean;
  /** The model's newest text; used if its last turn has none. */
  readonly message: string;
}

/** A run's conversation with the model between two rounds. Immutable: each step returns the next state. */
export interface Conversation extends LoopState {
  readonly previousResponseId: string | undefined;
  /** Input that the provider has not received yet. */
  readonly unsent: readonly InputItem[];
  /** A response of an earlier attempt that answers `unsent` already: it is followed instead of requested. */
  readonly running: string | undefined;
  /** Everything before `unsent`; undefined if only an earlier attempt knew it. */
  readonly remembered: readonly InputItem[] | undefined;
  /** Whether rounds refer to the stored round before them; otherwise each sends the whole conversation. */
  readonly chained: boolean;
}

/** Where an earlier attempt stopped (resume.ts). */
export interface LoopStart extends LoopState {
  /** Usage of all turns so far. */
  readonly usage: Usage;
  readonly next: NextRound;
}

/** The run's first round failed, so none has succeeded: if the run starts over, no useful round is paid for again. */
export class FirstRoundFailed extends RunnerError {
  constructor(message: string) {
    super("model_previous_response_missing", message);
  }
}

export type NextRound =
  /** The round is still to be requested. */
  | {
      readonly kind: "ask";
      readonly previousResponseId: string;
      /** What the provider has not seen yet. */
      readonly input: readonly InputItem[];
    }
  /** The round was requested with this input; its response is awaited. */
  | {
      readonly kind: "follow";
      readonly responseId: string;
      /** Undefined for the run's first round. */
      readonly previousResponseId: string | undefined;
      readonly input: readonly InputItem[];
    };

export interface Opening {
  /** Ignored with `from`: the provider has it already. */
  readonly input: string;
  readonly store: boolean;
  readonly from?: LoopStart;
}

export function startConversation({ input, store, from }: Opening): Conversation {
  if (from !== undefined) return resumeAt(from);
  return {
    draft: emptyDraft,
    rounds: 0,
    toolRounds: 0,
    repairs: 0,
    shortened: false,
    message: "",
    previousResponseId: undefined,
    unsent: [{ type: "message", text: input }],
    running: undefined,
    remembered: [],
    chained: store,
  };
}

function resumeAt({ usage: _usage, next, ...state }: LoopStart): Conversation {
  return {
    ...state,
    previousResponseId: next.previousResponseId,
    unsent: next.input,
    running: next.kind === "follow" ? next.responseId : undefined,
    remembered: undefined,
    chained: true,
  };
}

/** The conversation from which another attempt resumes. */
export function startFrom(now: Conversation, usage: Usage, next: NextRound): LoopStart {
  const { draft, rounds, toolRounds, repairs, shortened, message } = now;
  return { draft, rounds, toolRounds, repairs, shortened, message, usage, next };
}

/** The next round's request. Without `store`, the provider returns items that can be sent again. */
export function nextRequest(now: Conversation): Pick<ModelRequest, "input" | "previousResponseId" | "store"> {
  const { previousResponseId, remembered = [], unsent } = now;
  if (!now.chained) return { input: [...remembered, ...unsent], store: false };
  return { input: unsent, store: true, previousResponseId };
}

/** The conversation without stored rounds; undefined if that is impossible. */
export function unchain(now: Conversation): Conversation | undefined {
  const isChained = now.chained && now.previousResponseId !== undefined;
  return isChained && now.remembered !== undefined ? { ...now, chained: false } : undefined;
}

/** The conversation after a turn of the model, before its calls are applied. */
export function addTurn(now: Conversation, turn: ModelTurn): Conversation {
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
    message: turn.text.trim() === "" ? now.message : turn.text,
  };
}

export type Step =
  | { readonly kind: "continue"; readonly now: Conversation }
  /** The message can be delivered with the draft. */
  | { readonly kind: "done" };

/**
 * Applies a turn of the model: live, and again when an earlier attempt's rounds are replayed. No turn: the
 * model ended without text.
 * @throws RunnerError `tool_rounds_exceeded`, `deliverable_placeholder_mismatch`, `assistant_message_too_long`, `model_empty`
 */
export function applyTurn(now: Conversation, turn: ModelTurn | undefined): Step {
  if (turn !== undefined && turn.calls.length > 0) return { kind: "continue", now: answerCalls(now, turn) };
  const fault = faultIn(now);
  return fault === undefined ? { kind: "done" } : { kind: "continue", now: askForRepair(now, fault) };
}

/** Faults that the model can correct in its message. */
function faultIn({ draft, message }: Conversation): RunnerError | undefined {
  try {
    toPayload(draft, message);
    return undefined;
  } catch (error) {
    if (hasCode(error, "deliverable_placeholder_mismatch", "assistant_message_too_long")) return error;
    throw error;
  }
}

/**
 * Executes and answers every call, in order; a refused call is answered with its problems. The API
 * accepts one output per call id: calls that share an id get one answer, and an identical repeated call counts once.
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
    const content = JSON.stringify([call.callId, call.name, call.arguments]);
    if (seen.has(content)) continue;
    seen.add(content);
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

/** Asks the model to correct its message. @throws `fault` after too many tries */
function askForRepair(now: Conversation, fault: RunnerError): Conversation {
  const { message, draft } = now;
  const isTooLong = hasCode(fault, "assistant_message_too_long");
  if (now.repairs >= maxRepairRounds || (isTooLong && now.shortened)) throw fault;
  const text = isTooLong
    ? shortenPrompt(message.trim().length)
    : repairPrompt(danglingPlaceholders(message, draft), draft);
  // A model that ended without text has not received this input yet.
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
