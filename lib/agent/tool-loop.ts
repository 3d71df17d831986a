import { toolDefinitions } from "../deliverables/registry.ts";
import type { Draft } from "../deliverables/draft.ts";
import { hasCode } from "../core/errors.ts";
import type { Conversation, LoopStart } from "./conversation.ts";
import {
  addTurn,
  applyTurn,
  FirstRoundFailed,
  nextRequest,
  startConversation,
  unchain,
} from "./conversation.ts";
import {
  type Model,
  type ModelRequest,
  type ModelTurn,
  type RoundOptions,
  type Usage,
  UnusableResponseError,
} from "../model/model.ts";
import { jobInstructions } from "./instructions.ts";
import { addUsage, noUsage } from "../model/model.ts";

export interface RoundStart {
  /** 1 for the run's first round; continues over attempts. */
  readonly number: number;
  /** Absent if the provider does not keep responses: the run cannot resume then. */
  readonly responseId: string | undefined;
  /** Usage of the run's rounds before this one. */
  readonly usage: Usage;
}

export interface RoundEnd {
  readonly number: number;
  readonly responseId: string;
  /** Number of tool calls in the round. */
  readonly calls: number;
  /** The names of the tools that it called, of those that exist. */
  readonly tools: readonly string[];
  /** Usage of the run's rounds, including this one. */
  readonly usage: Usage;
  /** The model failed, refused, or its answer was cut off. */
  readonly isUnusable?: boolean;
}

export interface ToolCalled {
  readonly number: number;
  /** The name of one of our tools. */
  readonly tool: string;
}

export interface LoopContext {
  readonly model: Model;
  /** Awaited as soon as a round's response id is known. If it throws, its error passes through. */
  readonly onStarted?: (start: RoundStart) => Promise<void> | void;
  /** Called as soon as the model begins a call, if its answer is streamed. */
  readonly onToolCall?: (called: ToolCalled) => void;
  /** Called after each round, before its calls are applied. If it throws, its error passes through. */
  readonly onRound?: (end: RoundEnd) => Promise<void> | void;
}

export interface ToolLoopJob {
  readonly model: string;
  /** Ignored with `from`: the provider has it already. */
  readonly input: string;
  /** Whether to chain stored responses; otherwise each round sends the whole conversation. */
  readonly store: boolean;
  readonly options?: RoundOptions | undefined;
  /** The owner's instructions, added to ours. */
  readonly instructions?: string | undefined;
  /** Where to resume; absent: from the start. */
  readonly from?: LoopStart;
}

export interface LoopResult {
  readonly draft: Draft;
  readonly message: string;
  /** Rounds of the run, including earlier attempts. */
  readonly rounds: number;
  /** Sends the model one more message, because its answer was refused, and runs further rounds. */
  readonly continueWith: (text: string) => Promise<LoopResult>;
}

/**
 * Runs rounds with the model until it has written a message that can be delivered with its draft.
 * @throws RunnerError `tool_rounds_exceeded`, `deliverable_placeholder_mismatch`, `assistant_message_too_long`,
 * `model_empty` and every `model_*` of the model; `model_previous_response_missing` if an earlier attempt's rounds cannot
 * be resumed (FirstRoundFailed if none has succeeded); `signal.reason` when aborted
 */
export async function runToolLoop(
  loop: LoopContext,
  job: ToolLoopJob,
  signal: AbortSignal,
): Promise<LoopResult> {
  const fixed: Fixed = {
    model: job.model,
    instructions: jobInstructions({
      tools: toolDefinitions,
      hostedTools: job.options?.hostedTools,
      own: job.instructions,
    }),
    tools: toolDefinitions,
    options: job.options,
    store: job.store,
  };
  const asking = { fixed, now: startConversation(job), usage: job.from?.usage ?? noUsage };
  return converse(loop, asking, signal);
}

async function converse(loop: LoopContext, asking: Asking, signal: AbortSignal): Promise<LoopResult> {
  const { fixed } = asking;
  let { now, usage } = asking;
  const endRound = async (
    number: number,
    { responseId, usage: added, calls, isUnusable }: Answer,
  ): Promise<void> => {
    usage = addUsage(usage, added);
    const tools = calls.map(({ name }) => name).filter(isOurs);
    const end = { number, responseId, calls: calls.length, tools, usage };
    await loop.onRound?.(isUnusable ? { ...end, isUnusable } : end);
  };
  for (;;) {
    signal.throwIfAborted();
    const { turn, next } = await ask(loop, { fixed, now, usage }, signal).catch(async (error: unknown) => {
      // It is billed anyway.
      if (error instanceof UnusableResponseError) {
        const unusable = { responseId: error.responseId, usage: error.usage, calls: [], isUnusable: true };
        await endRound(now.rounds + 1, unusable);
      }
      throw error;
    });
    if (turn !== undefined) await endRound(next.rounds, turn);
    const step = applyTurn(next, turn);
    if (step.kind === "done") {
      const { draft, message, rounds } = next;
      const continueWith = (text: string): Promise<LoopResult> =>
        converse(loop, { fixed, now: { ...next, unsent: [{ type: "message", text }] }, usage }, signal);
      return { draft, message, rounds, continueWith };
    }
    now = step.now;
  }
}

const isOurs = (tool: string): boolean => toolDefinitions.some(({ name }) => name === tool);

type Fixed = Pick<ModelRequest, "model" | "instructions" | "tools" | "options" | "store">;
type Answer = Pick<ModelTurn, "responseId" | "usage" | "calls"> & Pick<RoundEnd, "isUnusable">;

interface Asking {
  readonly fixed: Fixed;
  readonly now: Conversation;
  /** Usage of the rounds so far. */
  readonly usage: Usage;
}

interface Answered {
  /** Undefined if the model ended without text but has made deliverables before. */
  readonly turn: ModelTurn | undefined;
  readonly next: Conversation;
}

async function ask(loop: LoopContext, asking: Asking, signal: AbortSignal): Promise<Answered> {
  const { now } = asking;
  try {
    const turn = await turnOf(loop, asking, signal);
    return { turn, next: addTurn(now, turn) };
  } catch (error) {
    const another = alternativeRound(now, error);
    if (another !== undefined) return await ask(loop, { ...asking, now: another }, signal);
    const isDoneWithoutText = hasCode(error, "model_empty") && hasDeliverables(now.draft);
    if (isDoneWithoutText) return { turn: undefined, next: { ...now, running: undefined } };
    throw error;
  }
}

async function turnOf(
  { model, onStarted, onToolCall }: LoopContext,
  { fixed, now, usage }: Asking,
  signal: AbortSignal,
): Promise<ModelTurn> {
  if (now.running !== undefined) return await model.follow(now.running, signal);
  const request = nextRequest(now);
  const number = now.rounds + 1;
  return await model.generate(
    { ...fixed, ...request },
    {
      signal,
      onStarted: async (id) => await onStarted?.({ number, responseId: fixed.store ? id : undefined, usage }),
      onToolCall: (tool) => {
        if (isOurs(tool)) onToolCall?.({ number, tool });
      },
    },
  );
}

/** The round to send instead; undefined if there is none. @throws if the run must start over */
function alternativeRound(now: Conversation, error: unknown): Conversation | undefined {
  if (hasCode(error, "model_previous_response_missing")) return unchain(now);
  const mayPass = hasCode(error, "model_failed") && error.retryable;
  if (now.running === undefined || !mayPass) return undefined;
  if (now.previousResponseId !== undefined) return { ...now, running: undefined };
  throw new FirstRoundFailed(`the run's first response produced nothing (${error.message})`);
}

const hasDeliverables = (draft: Draft): boolean => Object.values(draft).some((made) => made.length > 0);
