import { expect } from "vitest";
import type { Model, ModelRequest, ModelTurn, ToolCall } from "../../lib/inference/model.ts";

/** What the model does in one round: a turn, something thrown, or a decision on the request. */
export type Step =
  | ModelTurn
  | Error
  | ((request: ModelRequest, signal: AbortSignal) => ModelTurn | Promise<ModelTurn>);

export interface ScriptedModel extends Model {
  readonly requests: readonly ModelRequest[];
  /** Fails while steps are left. */
  assertDone(): void;
}

/** Replays steps in order. A call beyond the last one fails the test. */
export function scriptedModel(...steps: readonly Step[]): ScriptedModel {
  const requests: ModelRequest[] = [];
  return {
    requests,
    generate: async (request, signal) => {
      signal.throwIfAborted();
      requests.push(structuredClone(request));
      const step = steps[requests.length - 1];
      if (step === undefined) throw new Error(`unexpected model call ${requests.length}`);
      if (step instanceof Error) throw step;
      return typeof step === "function" ? await step(request, signal) : step;
    },
    assertDone: () => expect(requests.length, "model calls").toBe(steps.length),
  };
}

const usage = { inputTokens: 100, cachedInputTokens: 40, outputTokens: 30, reasoningTokens: 10 };

/** A turn that only speaks. */
export const says = (text: string, responseId = "resp_message"): ModelTurn => ({
  responseId,
  text,
  calls: [],
  usage,
  outputItems: [{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }],
});

/** A turn that calls tools, each as [name, arguments]; call ids are `RESPONSE-1`, `RESPONSE-2`, … */
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
