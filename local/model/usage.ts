import type { ContextItem } from "./input-items.ts";
import type { CreateRequest } from "./request.ts";
import type { OutputItem, ResponseBody } from "./wire.ts";

/** Estimates tokens: four characters per token. Tokens of the chain count as cached, in blocks of 128. */
const charactersPerToken = 4;
const cacheBlock = 128;
const smallestCache = 1024;
const reasoningPerItem = 32;

const size = (items: readonly unknown[]): number => JSON.stringify(items).length;
const tokens = (characters: number): number => Math.ceil(characters / charactersPerToken);

export function usageOf(
  request: CreateRequest,
  context: readonly ContextItem[],
  output: readonly OutputItem[],
): NonNullable<ResponseBody["usage"]> {
  const prefix = request.instructions.length + request.toolCharacters;
  const input = tokens(prefix + size(context));
  const earlier = context.slice(0, context.length - request.input.length);
  const seen = earlier.length === 0 ? 0 : tokens(prefix + size(earlier));
  const cached = seen < smallestCache ? 0 : Math.floor(seen / cacheBlock) * cacheBlock;
  const reasoning = output.length * reasoningPerItem;
  const written = output.filter((item) => item.type !== "reasoning");
  const outputTokens = reasoning + (written.length === 0 ? 0 : tokens(size(written)));
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + outputTokens,
  };
}
