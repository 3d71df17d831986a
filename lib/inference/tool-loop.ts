import { toPayload } from "../deliverables/payload.ts";
import { toolDefinitions } from "../deliverables/registry.ts";
import type { Workbench } from "../deliverables/workbench.ts";
import type { RunnerError } from "../errors.ts";
import { hasCode } from "../errors.ts";
import type { Conversation, LoopStart } from "./conversation.ts";
import { answerCalls, askForRepair, beginConversation, hear, nextRequest, unchain } from "./conversation.ts";
import { jobInstructions } from "./instructions.ts";
import type { Model, ModelRequest, ModelTurn, Usage } from "./model.ts";
import { noUsage } from "./model.ts";

export interface Round {
  /** 1 for the first round of the run, whatever the leg. */
  readonly number: number;
  readonly responseId: string;
  /** Of this round. */
  readonly usage: Usage;
  /** Tool calls that the round asked for. */
  readonly calls: number;
}

export interface ToolLoopDeps {
  readonly model: Model;
  /** The checkpoint: called after each round, before its calls are applied. What it throws goes out. */
  readonly onRound?: (round: Round) => Promise<void> | void;
}

export interface ToolLoopJob {
  readonly model: string;
  readonly input: string;
  /** Chain stored responses; false sends the whole conversation in each round. */
  readonly store: boolean;
  /** Absent: from the start. */
  readonly from?: LoopStart;
}

export interface LoopResult {
  readonly workbench: Workbench;
  readonly message: string;
  /** Of all rounds of this leg, repairs included. */
  readonly usage: Usage;
  /** Rounds of the run, earlier legs included. */
  readonly rounds: number;
}

export const addUsage = (left: Usage, right: Usage): Usage => ({
  inputTokens: left.inputTokens + right.inputTokens,
  cachedInputTokens: left.cachedInputTokens + right.cachedInputTokens,
  outputTokens: left.outputTokens + right.outputTokens,
  reasoningTokens: left.reasoningTokens + right.reasoningTokens,
});

/**
 * Rounds with the model until it has written a message that can be delivered with what it has made.
 * @throws RunnerError `tool_rounds_exceeded`, `deliverable_placeholder_mismatch`, `assistant_message_too_long`,
 * `model_empty` and every `model_*` of the model; `signal.reason` when aborted
 */
export async function runToolLoop(
  deps: ToolLoopDeps,
  job: ToolLoopJob,
  signal: AbortSignal,
): Promise<LoopResult> {
  const tools = toolDefinitions();
  const fixed: Fixed = { model: job.model, instructions: jobInstructions(tools), tools };
  let usage = noUsage;
  let now = beginConversation(job);
  for (;;) {
    signal.throwIfAborted();
    const { turn, next } = await ask(deps.model, { fixed, now }, signal);
    usage = addUsage(usage, turn?.usage ?? noUsage);
    if (turn !== undefined) await note(deps, next.rounds, turn);
    if (turn !== undefined && turn.calls.length > 0) {
      now = answerCalls(next, turn);
      continue;
    }
    const { workbench, words: message, rounds } = next;
    const fault = faultIn(workbench, message);
    if (fault === undefined) return { workbench, message, usage, rounds };
    now = askForRepair(next, fault);
  }
}

type Fixed = Pick<ModelRequest, "model" | "instructions" | "tools">;

interface Asking {
  readonly fixed: Fixed;
  readonly now: Conversation;
}

interface Heard {
  /** Undefined when the model ended without a word, but has made something before. */
  readonly turn: ModelTurn | undefined;
  readonly next: Conversation;
}

async function ask(model: Model, { fixed, now }: Asking, signal: AbortSignal): Promise<Heard> {
  try {
    const turn = await model.generate({ ...fixed, ...nextRequest(now) }, signal);
    return { turn, next: hear(now, turn) };
  } catch (error) {
    const unchained = hasCode(error, "model_previous_response_missing") ? unchain(now) : undefined;
    if (unchained !== undefined) return await ask(model, { fixed, now: unchained }, signal);
    const endedMutely = hasCode(error, "model_empty") && hasDeliverables(now.workbench);
    if (endedMutely) return { turn: undefined, next: now };
    throw error;
  }
}

async function note(deps: ToolLoopDeps, number: number, turn: ModelTurn): Promise<void> {
  const { responseId, usage, calls } = turn;
  await deps.onRound?.({ number, responseId, usage, calls: calls.length });
}

const hasDeliverables = (workbench: Workbench): boolean =>
  Object.values(workbench).some((made) => made.length > 0);

/** What the model itself can put right in its message. */
function faultIn(workbench: Workbench, message: string): RunnerError | undefined {
  try {
    toPayload(workbench, message);
    return undefined;
  } catch (error) {
    if (hasCode(error, "deliverable_placeholder_mismatch", "assistant_message_too_long")) return error;
    throw error;
  }
}
