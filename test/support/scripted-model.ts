import { expect } from "vitest";
import { RunnerError } from "../../lib/core/errors.ts";
import type { Model, ModelRequest, ModelTurn, StoredTurn, ToolCall } from "../../lib/model/model.ts";
import { noUsage } from "../../lib/model/model.ts";

/** A stored response that ended without success. */
export interface EndsBadly {
  readonly responseId: string;
  readonly status: "failed" | "incomplete" | "cancelled" | "completed";
  readonly error: RunnerError;
}

/** What the model does in one round: returns a turn, throws, or decides on the request. */
export type Step =
  | ModelTurn
  | EndsBadly
  | Error
  | ((request: ModelRequest, signal: AbortSignal) => ModelTurn | Promise<ModelTurn>);

export interface ScriptedModel extends Model {
  readonly requests: readonly ModelRequest[];
  /** Calls of follow, retrieve and cancel: `follow r2`. */
  readonly looks: readonly string[];
  /** Fails if steps are left. */
  assertDone(): void;
}

interface Kept extends StoredTurn {
  readonly error?: RunnerError;
}

/**
 * Replays steps in order. A call beyond the last one fails the test. Answers to requests that store are kept;
 * by the time the id is known, the response has ended.
 */
export function scriptedModel(...steps: readonly Step[]): ScriptedModel {
  const requests: ModelRequest[] = [];
  const looks: string[] = [];
  const kept = new Map<string, Kept>();
  const find = (verb: string, responseId: string, signal: AbortSignal): Kept => {
    signal.throwIfAborted();
    looks.push(`${verb} ${responseId}`);
    const found = kept.get(responseId);
    if (found !== undefined) return found;
    throw new RunnerError("model_previous_response_missing", `no response ${responseId}`);
  };
  return {
    requests,
    looks,
    generate: async (request, { signal, onStarted }) => {
      signal.throwIfAborted();
      requests.push(structuredClone(request));
      const step = steps[requests.length - 1];
      if (step === undefined) throw new Error(`unexpected model call ${requests.length}`);
      if (step instanceof Error) throw step;
      const done = typeof step === "function" ? await step(request, signal) : step;
      if (request.store) kept.set(done.responseId, keep(done, request));
      await onStarted?.(done.responseId);
      if ("error" in done) throw done.error;
      return done;
    },
    follow: async (responseId, signal) => {
      const { turn, error } = find("follow", responseId, signal);
      if (turn === undefined) throw error ?? new Error(`response ${responseId} has neither turn nor error`);
      return turn;
    },
    retrieve: async (responseId, signal) => {
      const { error: _error, ...stored } = find("retrieve", responseId, signal);
      return stored;
    },
    cancel: async (responseId, signal) => {
      signal.throwIfAborted();
      looks.push(`cancel ${responseId}`);
    },
    assertDone: () => expect(requests.length, "model calls").toBe(steps.length),
  };
}

function keep(done: ModelTurn | EndsBadly, { previousResponseId }: ModelRequest): Kept {
  if ("error" in done) {
    const { status, error } = done;
    return { previousResponseId, status, turn: undefined, usage: noUsage, error };
  }
  return { previousResponseId, status: "completed", turn: done, usage: done.usage };
}

const usage = {
  inputTokens: 100,
  cachedInputTokens: 40,
  cacheWriteTokens: 0,
  outputTokens: 30,
  reasoningTokens: 10,
  webSearches: 0,
};

/** A turn with text only. */
export const says = (text: string, responseId = "resp_message"): ModelTurn => ({
  responseId,
  text,
  calls: [],
  usage,
  outputItems: [{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }],
});

/** A turn that calls tools, each as [name, arguments]. Call ids are `RESPONSE-1`, `RESPONSE-2`, … */
export const calls = (responseId: string, ...tools: readonly (readonly [string, unknown])[]): ModelTurn => {
  const made: readonly ToolCall[] = tools.map(([name, args], index) => ({
    callId: `${responseId}-${index + 1}`,
    name,
    arguments: typeof args === "string" ? args : JSON.stringify(args),
  }));
  return {
    responseId,
    text: "",
    calls: made,
    usage,
    outputItems: made.map(({ callId, name, arguments: text }) => ({
      type: "function_call",
      call_id: callId,
      name,
      arguments: text,
    })),
  };
};
