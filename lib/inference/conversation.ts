import { limits } from "../deliverables/limits.ts";
import { danglingPlaceholders, repairPrompt } from "../deliverables/placeholders.ts";
import { applyToolCall } from "../deliverables/registry.ts";
import type { Workbench } from "../deliverables/workbench.ts";
import { emptyWorkbench } from "../deliverables/workbench.ts";
import { hasCode, RunnerError } from "../errors.ts";
import { maxRepairRounds, maxToolRounds } from "./bounds.ts";
import type { InputItem, ModelRequest, ModelTurn } from "./model.ts";

/** A run's talk with the model as it stands between two rounds. Immutable: each step returns the next state. */
export interface Conversation {
  readonly workbench: Workbench;
  readonly previousResponseId: string | undefined;
  /** What the provider has not seen yet. */
  readonly unsent: readonly InputItem[];
  /** Everything before `unsent`; undefined where an earlier leg had it. */
  readonly remembered: readonly InputItem[] | undefined;
  /** Rounds refer to the stored one before them; false: the whole conversation is sent. */
  readonly chained: boolean;
  readonly rounds: number;
  readonly toolRounds: number;
  readonly repairs: number;
  /** The model has been asked to shorten its message; it is not asked twice. */
  readonly shortened: boolean;
  /** The model's newest words, which stand if it ends without any. */
  readonly words: string;
}

/** Where an earlier leg left off. */
export interface LoopStart {
  readonly workbench: Workbench;
  readonly previousResponseId: string;
  /** What the provider has not seen yet. */
  readonly input: readonly InputItem[];
  /** Rounds so far. */
  readonly round: number;
}

export interface Opening {
  readonly input: string;
  readonly store: boolean;
  readonly from?: LoopStart;
}

export function beginConversation({ input, store, from }: Opening): Conversation {
  return {
    workbench: from?.workbench ?? emptyWorkbench,
    previousResponseId: from?.previousResponseId,
    unsent: from?.input ?? [{ type: "message", text: input }],
    remembered: from === undefined ? [] : undefined,
    chained: store,
    rounds: from?.round ?? 0,
    toolRounds: from?.round ?? 0,
    repairs: 0,
    shortened: false,
    words: "",
  };
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
    remembered: now.remembered && [
      ...now.remembered,
      ...now.unsent,
      { type: "earlier_turn", items: turn.outputItems },
    ],
    rounds: now.rounds + 1,
    words: turn.text.trim() === "" ? now.words : turn.text,
  };
}

/**
 * Every call gets its answer, in the order of the calls; a refused call is answered with what is wrong.
 * @throws RunnerError `tool_rounds_exceeded`
 */
export function answerCalls(now: Conversation, { calls }: ModelTurn): Conversation {
  if (now.toolRounds >= maxToolRounds) {
    throw new RunnerError(
      "tool_rounds_exceeded",
      `the model was still calling tools after ${maxToolRounds} rounds, so the job was stopped`,
    );
  }
  let { workbench } = now;
  const unsent = calls.map((call): InputItem => {
    const applied = applyToolCall(workbench, call);
    workbench = applied.workbench;
    return { type: "tool_output", callId: call.callId, output: applied.output };
  });
  return { ...now, workbench, unsent, toolRounds: now.toolRounds + 1 };
}

/** Asks the model to correct its message. @throws `fault` itself when that has been tried often enough */
export function askForRepair(now: Conversation, fault: RunnerError): Conversation {
  const { words, workbench } = now;
  const isTooLong = hasCode(fault, "assistant_message_too_long");
  if (now.repairs >= maxRepairRounds || (isTooLong && now.shortened)) throw fault;
  const text = isTooLong
    ? shortenPrompt(words.trim().length)
    : repairPrompt(danglingPlaceholders(words, workbench), workbench);
  return {
    ...now,
    unsent: [...now.unsent, { type: "message", text }],
    repairs: now.repairs + 1,
    shortened: now.shortened || isTooLong,
  };
}

const shortenPrompt = (length: number): string =>
  `Your message has ${length} characters; at most ${limits.assistantMessageChars} are allowed. Move what is long into ` +
  "deliverables, a file for running text, and write the whole message again, shorter, with their placeholders.";
