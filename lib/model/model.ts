import { RunnerError } from "../core/errors.ts";
import type { HostedTool, ReasoningEffort, ServiceTier } from "../core/options.ts";

/** The model port. One adapter (openai.ts) knows the provider; everything else uses these types. */

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
  /** Billed searches that the provider ran for the model. */
  readonly webSearches: number;
  /** Estimated from the prices of the model and the tier that answered, in US dollars; absent if no price is known. */
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

/** The usage in `all` beyond `part`. */
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
  /** An earlier turn's output, as the provider returned it; used only if the provider keeps no responses. */
  | { readonly type: "earlier_turn"; readonly items: readonly unknown[] };

/** Options of a job's rounds. Absent ones are left to the provider. */
export interface RoundOptions {
  readonly serviceTier?: ServiceTier | undefined;
  readonly hostedTools?: readonly HostedTool[] | undefined;
  readonly reasoningEffort?: ReasoningEffort | undefined;
  /** Limit of one round, including its reasoning. */
  readonly maxOutputTokens?: number | undefined;
  /** Requests with the same key share cached instructions and tools at the provider. */
  readonly promptCacheKey?: string | undefined;
}

export interface ModelRequest {
  readonly model: string;
  readonly instructions: string;
  readonly input: readonly InputItem[];
  readonly tools: readonly ToolDefinition[];
  readonly previousResponseId?: string;
  /** Whether the provider keeps the response, so that it can be chained and resumed. */
  readonly store: boolean;
  readonly options?: RoundOptions | undefined;
}

export interface ModelTurn {
  readonly responseId: string;
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly usage: Usage;
  /** The turn's output as the provider returned it, for replay if the provider keeps no responses. */
  readonly outputItems: readonly unknown[];
}

/** The signal and callbacks of one generation. */
export interface Generation {
  /** Aborting it ends the wait. A background response continues, so that the next attempt can resume it. */
  readonly signal: AbortSignal;
  /**
   * Awaited as soon as the response's id is known; again with the new id if a failed response is retried. If it throws, the
   * generation ends with that error.
   */
  readonly onStarted?: ((responseId: string) => Promise<void>) | undefined;
  /**
   * Called with the name of each tool that the model begins to call, if the response is streamed; again when a broken stream is read from
   * its start.
   */
  readonly onToolCall?: ((tool: string) => void) | undefined;
  /** Awaited before each request that starts a response. If it throws, no request is sent. */
  readonly mayAsk?: (() => Promise<void>) | undefined;
}

export type ResponseStatus = "queued" | "in_progress" | "completed" | "failed" | "incomplete" | "cancelled";

/** A response as the provider keeps it. */
export interface StoredTurn {
  readonly previousResponseId: string | undefined;
  readonly status: ResponseStatus;
  /** Undefined unless the response is completed and has text or calls. */
  readonly turn: ModelTurn | undefined;
  /** Usage, however the response ended; zero while it runs. */
  readonly usage: Usage;
}

export interface Model {
  /**
   * Runs one round, with retries (see openai.ts).
   * @throws RunnerError `model_*`; `signal.reason` at once when aborted; what `onStarted` and `mayAsk` throw
   */
  generate(request: ModelRequest, generation: Generation): Promise<ModelTurn>;
  /**
   * Waits for the end of a response that an earlier attempt started. Sends no new request.
   * @throws RunnerError as `generate` does, retryable if a new request may succeed;
   * `model_previous_response_missing` if the provider does not have the response; `signal.reason` when aborted
   */
  follow(responseId: string, signal: AbortSignal): Promise<ModelTurn>;
  /** Reads a stored response once. @throws RunnerError as `follow` does, but not for how the response ended */
  retrieve(responseId: string, signal: AbortSignal): Promise<StoredTurn>;
  /** Cancels a background response, if possible. @throws only `signal.reason`, when aborted */
  cancel(responseId: string, signal: AbortSignal): Promise<void>;
}

/** A response that ended without a usable result, but is billed. */
export class UnusableResponseError extends RunnerError {
  readonly responseId: string;
  readonly usage: Usage;

  constructor(error: RunnerError, response: { readonly responseId: string; readonly usage: Usage }) {
    super(error.code, error.message, error);
    this.responseId = response.responseId;
    this.usage = response.usage;
  }
}
