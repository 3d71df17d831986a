import type { HostedTool, ReasoningEffort, ServiceTier } from "../core/options.ts";
/** The model port. One adapter (openai.ts) knows the provider; everything else speaks these types. */

export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  /** Strict JSON Schema: every property required, `additionalProperties: false`. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ToolCall {
  readonly callId: string;
  readonly name: string;
  /** JSON text as the model wrote it; it may be malformed. */
  readonly arguments: string;
}

export interface Usage {
  readonly inputTokens: number;
  /** Part of `inputTokens`: read from the provider's cache. */
  readonly cachedInputTokens: number;
  /** Part of `inputTokens`: written to the provider's cache. */
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  /** Part of `outputTokens`. */
  readonly reasoningTokens: number;
  /** Searches that the provider made for the model, and bills. */
  readonly webSearches: number;
  /** Estimated from the prices of the model and the tier that answered, in US dollars; absent: no price is known. */
  readonly costUsd?: number | undefined;
}

export const noUsage: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  webSearches: 0,
  costUsd: 0,
};

export const addUsage = (left: Usage, right: Usage): Usage => combine(left, right, (a, b) => a + b);

/** What `all` has more than `part`. */
export const usageBeyond = (all: Usage, part: Usage): Usage =>
  combine(all, part, (a, b) => Math.max(0, a - b));

function combine(left: Usage, right: Usage, of: (left: number, right: number) => number): Usage {
  return {
    inputTokens: of(left.inputTokens, right.inputTokens),
    cachedInputTokens: of(left.cachedInputTokens, right.cachedInputTokens),
    cacheWriteTokens: of(left.cacheWriteTokens, right.cacheWriteTokens),
    outputTokens: of(left.outputTokens, right.outputTokens),
    reasoningTokens: of(left.reasoningTokens, right.reasoningTokens),
    webSearches: of(left.webSearches, right.webSearches),
    costUsd:
      left.costUsd === undefined || right.costUsd === undefined ? undefined : of(left.costUsd, right.costUsd),
  };
}

export type InputItem =
  | { readonly type: "message"; readonly text: string }
  | { readonly type: "tool_output"; readonly callId: string; readonly output: string }
  /** What an earlier turn produced, as the provider gave it: used only where the chain is not stored. */
  | { readonly type: "earlier_turn"; readonly items: readonly unknown[] };

/** How a job's rounds are asked for. What is absent is left to the provider. */
export interface RoundOptions {
  readonly serviceTier?: ServiceTier | undefined;
  readonly hostedTools?: readonly HostedTool[] | undefined;
  readonly reasoningEffort?: ReasoningEffort | undefined;
  /** Of one round, its reasoning included. */
  readonly maxOutputTokens?: number | undefined;
  /** Requests with the same key find the instructions and tools that they share in the provider's cache. */
  readonly promptCacheKey?: string | undefined;
}

export interface ModelRequest {
  readonly model: string;
  readonly instructions: string;
  readonly input: readonly InputItem[];
  readonly tools: readonly ToolDefinition[];
  readonly previousResponseId?: string;
  /** Keep the response at the provider, so that it can be chained and resumed from. */
  readonly store: boolean;
  readonly options?: RoundOptions | undefined;
}

export interface ModelTurn {
  readonly responseId: string;
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly usage: Usage;
  /** The turn's output as the provider gave it, for replay without a stored chain. */
  readonly outputItems: readonly unknown[];
}

/** What goes with one generation while it lasts. */
export interface Generation {
  /** Its abort ends the waiting. A response in the background runs on: an earlier attempt's generation is the next one's. */
  readonly signal: AbortSignal;
  /**
   * Awaited as soon as the response's id is known, before anything is waited for; again with the new id where a
   * response that failed in passing is asked for again. What it throws goes out and ends the generation.
   */
  readonly onStarted?: ((responseId: string) => Promise<void>) | undefined;
  /** Awaited before each request that begins a response. What it throws goes out, and nothing is asked. */
  readonly mayAsk?: (() => Promise<void>) | undefined;
}

export type ResponseStatus = "queued" | "in_progress" | "completed" | "failed" | "incomplete" | "cancelled";

/** A response as the provider keeps it. */
export interface StoredTurn {
  readonly previousResponseId: string | undefined;
  readonly status: ResponseStatus;
  /** Undefined unless the response is completed and holds words or calls. */
  readonly turn: ModelTurn | undefined;
  /** Tokens that it has cost, however it ended; nothing while it runs. */
  readonly usage: Usage;
}

export interface Model {
  /**
   * One round: asks once, with retries inside (see openai.ts).
   * @throws RunnerError `model_*`; `signal.reason` at once when aborted; what `onStarted` and `mayAsk` throw
   */
  generate(request: ModelRequest, generation: Generation): Promise<ModelTurn>;
  /**
   * Waits for the end of a generation that an earlier attempt began, and asks for nothing.
   * @throws RunnerError as `generate` does, retryable where the same question may succeed;
   * `model_previous_response_missing` where the provider does not have the response; `signal.reason` when aborted
   */
  follow(responseId: string, signal: AbortSignal): Promise<ModelTurn>;
  /** One look at a stored response. @throws RunnerError as `follow` does, but not for how the response ended */
  retrieve(responseId: string, signal: AbortSignal): Promise<StoredTurn>;
  /** Stops a generation in the background, as far as that can be done. @throws only `signal.reason`, when aborted */
  cancel(responseId: string, signal: AbortSignal): Promise<void>;
}
