import type { ResponseCreateParamsBase, ResponseInput } from "openai/resources/responses/responses";
import type { InputItem, ModelRequest } from "./model.ts";

/** How the answer is delivered: as events on the open connection, by reading it later, or both. */
const deliveries = {
  stream: { stream: true },
  background: { stream: false, background: true },
  background_stream: { stream: true, background: true },
} as const;
export type Delivery = keyof typeof deliveries;
export type BackgroundDelivery = Exclude<Delivery, "stream">;

/** The body of `POST /responses` (OpenAI API reference, "Create a model response"). No sampling settings: reasoning models refuse them. */
export function requestBody(request: ModelRequest, delivery: Delivery): ResponseCreateParamsBase {
  const { model, instructions, store, previousResponseId, options = {} } = request;
  const { reasoningEffort, maxOutputTokens, promptCacheKey, serviceTier, hostedTools = [] } = options;
  const functions = request.tools.map(({ name, description, parameters }) => ({
    type: "function" as const,
    name,
    description,
    parameters: { ...parameters },
    strict: true,
  }));
  const tools = [...functions, ...hostedTools.map((type) => ({ type }))];
  return {
    model,
    instructions,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- items of earlier turns go back as the provider gave them
    input: request.input.flatMap(toInputItems) as ResponseInput,
    store,
    ...deliveries[delivery],
    ...(tools.length > 0 ? { tools, tool_choice: "auto" as const, parallel_tool_calls: true } : {}),
    previous_response_id: previousResponseId,
    reasoning: reasoningEffort && { effort: reasoningEffort },
    max_output_tokens: maxOutputTokens,
    service_tier: serviceTier,
    prompt_cache_key: promptCacheKey,
    ...(store ? {} : { include: ["reasoning.encrypted_content" as const] }),
  };
}

function toInputItems(item: InputItem): readonly unknown[] {
  if (item.type === "message") return [{ type: "message", role: "user", content: item.text }];
  if (item.type === "earlier_turn") return replayable(item.items);
  return [{ type: "function_call_output", call_id: item.callId, output: item.output }];
}

/**
 * Reasoning can be replayed only with its encrypted content. A turn that loses its reasoning must lose its ids too, or
 * the provider looks the reasoning up by them and refuses the rest.
 */
function replayable(items: readonly unknown[]): readonly unknown[] {
  const kept = items.filter(
    (item) => field(item, "type") !== "reasoning" || Boolean(field(item, "encrypted_content")),
  );
  return kept.length === items.length ? items : kept.map(withoutId);
}

const field = (item: unknown, name: string): unknown =>
  typeof item === "object" && item !== null ? Reflect.get(item, name) : undefined;

const withoutId = (item: unknown): unknown =>
  typeof item === "object" && item !== null
    ? Object.fromEntries(Object.entries(item).filter(([name]) => name !== "id"))
    : item;
