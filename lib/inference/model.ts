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
  /** Part of `inputTokens`. */
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  /** Part of `outputTokens`. */
  readonly reasoningTokens: number;
}

export const noUsage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };

export type InputItem =
  | { readonly type: "message"; readonly text: string }
  | { readonly type: "tool_output"; readonly callId: string; readonly output: string }
  /** What an earlier turn produced, as the provider gave it: used only where the chain is not stored. */
  | { readonly type: "earlier_turn"; readonly items: readonly unknown[] };

export interface ModelRequest {
  readonly model: string;
  readonly instructions: string;
  readonly input: readonly InputItem[];
  readonly tools: readonly ToolDefinition[];
  readonly previousResponseId?: string;
  /** Keep the response at the provider, so that it can be chained and resumed from. */
  readonly store: boolean;
}

export interface ModelTurn {
  readonly responseId: string;
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly usage: Usage;
  /** The turn's output as the provider gave it, for replay without a stored chain. */
  readonly outputItems: readonly unknown[];
}

export interface Model {
  /**
   * One round: asks once, with retries inside (see openai.ts).
   * @throws RunnerError `model_*`; or `signal.reason` at once when aborted, the provider's stream being closed
   */
  generate(request: ModelRequest, signal: AbortSignal): Promise<ModelTurn>;
}
