import * as z from "zod";
import { boundedList } from "../core/bounded.ts";
import { noUsage, type Usage } from "./model.ts";

/** A count above this is treated as unknown, so that it does not affect the day's spending. No model uses as many tokens. */
const countSchema = z.int().min(0).max(10_000_000).catch(0);

/** The fields that determine a response's price (OpenAI API reference, "The response object"). Servers may omit them all. */
export const billedSchema = z.looseObject({
  model: z.string().nullish().catch(undefined),
  /** The tier that answered, which can differ from the requested one. */
  service_tier: z.string().nullish().catch(undefined),
  usage: z
    .looseObject({
      input_tokens: countSchema,
      output_tokens: countSchema,
      input_tokens_details: z
        .looseObject({ cached_tokens: countSchema, cache_write_tokens: countSchema })
        .nullish()
        .catch(undefined),
      output_tokens_details: z.looseObject({ reasoning_tokens: countSchema }).nullish().catch(undefined),
    })
    .nullish()
    .catch(undefined),
  tool_usage: z
    .looseObject({ web_search: z.looseObject({ num_requests: countSchema }) })
    .nullish()
    .catch(undefined),
});

type Billed = z.infer<typeof billedSchema>;

export interface Bill {
  readonly usage: Omit<Usage, "costUsd">;
  /** Names of the model, the most reliable first. */
  readonly models: readonly string[];
  readonly tier: string | undefined;
}

/** In US dollars; `undefined` if no price is known. */
export type CostOf = (bill: Bill) => number | undefined;

export interface Billing {
  readonly costOf?: CostOf | undefined;
  /** The requested model; absent if an earlier attempt sent the request. */
  readonly model?: string | undefined;
}

export function usageOf(response: Billed & { readonly output?: unknown }, { costOf, model }: Billing): Usage {
  if (!response.usage) return noUsage;
  const { input_tokens: inputTokens, output_tokens: outputTokens, ...details } = response.usage;
  const cachedInputTokens = Math.min(inputTokens, details.input_tokens_details?.cached_tokens ?? 0);
  const cacheWriteTokens = details.input_tokens_details?.cache_write_tokens ?? 0;
  const usage = {
    inputTokens,
    cachedInputTokens,
    cacheWriteTokens: Math.min(inputTokens - cachedInputTokens, cacheWriteTokens),
    outputTokens,
    reasoningTokens: Math.min(outputTokens, details.output_tokens_details?.reasoning_tokens ?? 0),
    webSearches: response.tool_usage?.web_search.num_requests ?? searchesIn(response.output),
  };
  const models = [model, response.model].flatMap((name) => name ?? []);
  return { ...usage, costUsd: costOf?.({ usage, models, tier: response.service_tier ?? undefined }) };
}

/** Counts searches if the provider does not report them. A search call without an action counts: older servers name none. */
const searchesSchema = boundedList(
  z.looseObject({
    type: z.string(),
    action: z.looseObject({ type: z.string() }).nullish().catch(undefined),
  }),
  1_000,
);

function searchesIn(output: unknown): number {
  const items = searchesSchema.safeParse(output).data ?? [];
  return items.filter(
    ({ type, action }) => type === "web_search_call" && (action?.type ?? "search") === "search",
  ).length;
}
