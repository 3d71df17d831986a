import { toolDefinitions } from "../deliverables/registry.ts";
import type { Draft } from "../deliverables/draft.ts";
import { hasCode, RunnerError } from "../core/errors.ts";
import type { Conversation, LoopStart } from "./conversation.ts";
import { beginConversation, hear, nextRequest, proceed, unchain } from "./conversation.ts";
import {
  type Model,
  type ModelRequest,
  type ModelTurn,
  type RoundOptions,
  type Usage,
  BadEnd,
} from "../model/model.ts";
import { jobInstructions } from "./instructions.ts";
import { addUsage, noUsage } from "../model/model.ts";

export interface Round {
  /** 1 for the run's first round; continues over attempts. */
  readonly number: number;
  readonly responseId: string;
  /** Usage of this round. */
  readonly usage: Usage;
  /** Number of tool calls in the round. */
  readonly calls: number;
}

export interface Started {
  /** The response's round; 1 for the run's first round. */
  readonly number: number;
  readonly responseId: string;
  /** Usage of the run's rounds before it. */
  readonly usage: Usage;
}

export interface LoopContext {
  readonly model: Model;
  /** Awaited as soon as a round's response id is known. If it throws, its error passes through. */
  readonly onStarted?: (started: Started) => Promise<void> | void;
  /** Called after each round, before its calls are applied. If it throws, its error passes through. */
  readonly onRound?: (round: Round) => Promise<void> | void;
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
  /** Usage of all rounds of the run, including earlier attempts and repairs. */
  readonly usage: Usage;
  /** Rounds of the run, including earlier attempts. */
  readonly rounds: number;
  /** Continues with one more message to the model, because the answer was refused. */
  readonly goOn: (text: string) => Promise<LoopResult>;
}

/**
 * Runs rounds with the model until it has written a message that can be delivered with its draft.
 * @throws RunnerError `tool_rounds_exceeded`, `deliverable_placeholder_mismatch`, `assistant_message_too_long`,
 * `model_empty` and every `model_*` of the model; `model_previous_response_missing` where an earlier attempt's rounds cannot
 * be taken up; `signal.reason` when aborted
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
  };
  const asking = { fixed, now: beginConversation(job), usage: job.from?.usage ?? noUsage };
  return converse(loop, asking, signal);
}

async function converse(loop: LoopContext, asking: Asking, signal: AbortSignal): Promise<LoopResult> {
  const { fixed } = asking;
  let { now, usage } = asking;
  for (;;) {
    signal.throwIfAborted();
    const { turn, next } = await ask(loop, { fixed, now, usage }, signal).catch(async (error: unknown) => {
      // It is billed anyway.
      if (error instanceof BadEnd) {
        const { responseId, usage: paid } = error;
        await note(loop, now.rounds + 1, { responseId, usage: paid, calls: [] });
      }
      throw error;
    });
    usage = addUsage(usage, turn?.usage ?? noUsage);
    if (turn !== undefined) await note(loop, next.rounds, turn);
    const step = proceed(next, turn);
    if (step.kind === "done") {
      const { draft, words: message, rounds } = next;
      const goOn = (text: string): Promise<LoopResult> =>
        converse(loop, { fixed, now: { ...next, unsent: [{ type: "message", text }] }, usage }, signal);
      return { draft, message, usage, rounds, goOn };
    }
    now = step.now;
  }
}

type Fixed = Pick<ModelRequest, "model" | "instructions" | "tools" | "options">;

interface Asking {
  readonly fixed: Fixed;
  readonly now: Conversation;
  /** Usage of the rounds so far. */
  readonly usage: Usage;
}

interface Heard {
  /** Undefined if the model ended without text but has made deliverables before. */
  readonly turn: ModelTurn | undefined;
  readonly next: Conversation;
}

async function ask(loop: LoopContext, asking: Asking, signal: AbortSignal): Promise<Heard> {
  const { now } = asking;
  try {
    const turn = await turnOf(loop, asking, signal);
    return { turn, next: hear(now, turn) };
  } catch (error) {
    const another = otherWay(now, error);
    if (another !== undefined) return await ask(loop, { ...asking, now: another }, signal);
    const endedMutely = hasCode(error, "model_empty") && hasDeliverables(now.draft);
    if (endedMutely) return { turn: undefined, next: { ...now, running: undefined } };
    throw error;
  }
}

async function turnOf(
  { model, onStarted }: LoopContext,
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
      onStarted: async (responseId) => await onStarted?.({ number, responseId, usage }),
    },
  );
}

/** The round to send instead; undefined if there is none. @throws if the run must start over */
function otherWay(now: Conversation, error: unknown): Conversation | undefined {
  if (hasCode(error, "model_previous_response_missing")) return unchain(now);
  const hasFailedInPassing = hasCode(error, "model_failed") && error.retryable;
  if (now.running === undefined || !hasFailedInPassing) return undefined;
  if (now.previousResponseId !== undefined) return { ...now, running: undefined };
  throw new RunnerError(
    "model_previous_response_missing",
    `the run's first response came to nothing (${error.message})`,
    { retryable: true },
  );
}

async function note(
  loop: LoopContext,
  number: number,
  turn: Pick<ModelTurn, "responseId" | "usage" | "calls">,
): Promise<void> {
  const { responseId, usage, calls } = turn;
  await loop.onRound?.({ number, responseId, usage, calls: calls.length });
}

const hasDeliverables = (draft: Draft): boolean => Object.values(draft).some((made) => made.length > 0);
