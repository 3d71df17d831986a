import * as z from "zod";
import type { OfferedTool } from "./conversation.ts";
import type { InputItem } from "./input-items.ts";
import { inputItems } from "./input-items.ts";
import { invalid } from "./invalid.ts";
import { strictSchemaProblem } from "./strict-schema.ts";
import { ApiError } from "./wire.ts";

const functionTool = z.looseObject({
  type: z.literal("function"),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

/** A tool that runs at the provider. Accepted, but never used here. */
const webSearchTool = z.looseObject({ type: z.enum(["web_search", "web_search_2025_08_26"]) });

const serviceTiers = ["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"] as const;
/** The service tier in the response, if it differs from the requested one. */
const answeringTiers: Readonly<Record<string, string>> = { auto: "default", fast: "priority" };

/** Parameters that are accepted without a check, and have no effect. */
const unchecked = {
  access_programs: z.unknown().optional(),
  max_tool_calls: z.unknown().optional(),
  moderation: z.unknown().optional(),
  prompt_cache_key: z.unknown().optional(),
  prompt_cache_retention: z.unknown().optional(),
  safety_identifier: z.unknown().optional(),
  top_logprobs: z.unknown().optional(),
  user: z.unknown().optional(),
  context_management: z.unknown().optional(),
  image: z.unknown().optional(),
  prompt_cache_options: z.unknown().optional(),
  stream_options: z.unknown().optional(),
};

/**
 * Parameters of openai 7.55.0, ResponseCreateParamsBase, except `conversation` and `prompt`, which are not
 * supported here.
 */
const createSchema = z.strictObject({
  ...unchecked,
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.unknown())]),
  instructions: z.string().nullish(),
  tools: z.array(z.discriminatedUnion("type", [functionTool, webSearchTool])).nullish(),
  tool_choice: z.unknown().optional(),
  parallel_tool_calls: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
  stream: z.boolean().nullish(),
  background: z.boolean().nullish(),
  store: z.boolean().nullish(),
  include: z.array(z.string()).nullish(),
  max_output_tokens: z.number().int().min(16).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  reasoning: z.looseObject({}).nullish(),
  service_tier: z.enum(serviceTiers).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  text: z.looseObject({}).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  truncation: z.enum(["auto", "disabled"]).nullish(),
});

export interface CreateRequest {
  readonly model: string;
  readonly input: readonly InputItem[];
  readonly instructions: string;
  readonly tools: readonly OfferedTool[];
  readonly previousResponseId: string | null;
  readonly stream: boolean;
  readonly background: boolean;
  readonly store: boolean;
  readonly encryptedReasoning: boolean;
  /** Length of the tool definitions as JSON, for the usage. */
  readonly toolCharacters: number;
  /** Fields of the response that repeat the request. */
  readonly echo: Readonly<Record<string, unknown>>;
}

/** @throws ApiError 400 with the API's code and param for each kind of mistake */
export function parseCreate(body: unknown): CreateRequest {
  const result = createSchema.safeParse(body);
  if (!result.success) throw invalid(result.error.issues[0], body);
  const { data } = result;
  const tools = data.tools ?? [];
  const functions = tools.flatMap((tool, index) => (tool.type === "function" ? [{ tool, index }] : []));
  for (const { tool, index } of functions) checkTool(tool, index);
  return {
    model: data.model,
    input: inputItems(data.input),
    instructions: data.instructions ?? "",
    tools: functions.map(({ tool }) => ({ name: tool.name, parameters: tool.parameters ?? null })),
    previousResponseId: data.previous_response_id ?? null,
    stream: data.stream ?? false,
    background: data.background ?? false,
    store: data.store ?? true,
    encryptedReasoning: data.include?.includes("reasoning.encrypted_content") ?? false,
    toolCharacters: JSON.stringify(tools).length,
    echo: echoOf(data),
  };
}

function echoOf(data: z.output<typeof createSchema>): Readonly<Record<string, unknown>> {
  return {
    instructions: data.instructions ?? null,
    tools: (data.tools ?? []).map((tool) =>
      tool.type === "function" ? { description: null, ...tool, strict: tool.strict ?? true } : tool,
    ),
    tool_choice: data.tool_choice ?? "auto",
    parallel_tool_calls: data.parallel_tool_calls ?? true,
    max_output_tokens: data.max_output_tokens ?? null,
    metadata: data.metadata ?? {},
    prompt_cache_key: data.prompt_cache_key ?? null,
    reasoning: data.reasoning ?? { effort: null, summary: null },
    service_tier: answeringTiers[data.service_tier ?? "auto"] ?? data.service_tier,
    temperature: data.temperature ?? 1,
    text: data.text ?? { format: { type: "text" } },
    top_p: data.top_p ?? 1,
    truncation: data.truncation ?? "disabled",
  };
}

function checkTool(tool: z.output<typeof functionTool>, index: number): void {
  if (tool.strict !== true) return;
  const problem = strictSchemaProblem(tool.parameters);
  if (problem === undefined) return;
  throw new ApiError(400, `Invalid schema for function '${tool.name}': ${problem}`, {
    code: "invalid_function_parameters",
    param: `tools[${index}].parameters`,
  });
}
