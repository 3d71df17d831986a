import type { Item } from "./script.ts";
import { toolProblems } from "./strict-tools.ts";

/** An error as OpenAI's API reports it. */
export interface Refusal {
  readonly status: number;
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export function refuse(
  status: number,
  message: string,
  { param = null, code = null }: { readonly param?: string | null; readonly code?: string | null } = {},
): Refusal {
  return { status, error: { message, type: "invalid_request_error", param, code } };
}

/** Request fields of "Create a model response" (OpenAI API reference) that this server knows. */
const parameters = new Set(
  (
    "background conversation include input instructions max_output_tokens max_tool_calls metadata model " +
    "parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning safety_identifier " +
    "service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user"
  ).split(" "),
);

export function bodyRefusal(body: Item, model: string): Refusal | undefined {
  const unknown = Object.keys(body).find((name) => !parameters.has(name));
  if (unknown)
    return refuse(400, `Unknown parameter: '${unknown}'.`, { param: unknown, code: "unknown_parameter" });
  if (body["model"] !== model) {
    const message = `The model '${String(body["model"])}' does not exist or you do not have access to it.`;
    return refuse(400, message, { param: "model", code: "model_not_found" });
  }
  const [problem] = body["tools"] === undefined ? [] : toolProblems(body["tools"]);
  if (problem)
    return refuse(400, `Invalid schema: ${problem}`, { param: "tools", code: "invalid_function_parameters" });
  if (body["tool_choice"] !== undefined && body["tools"] === undefined)
    return refuse(400, "Tool choices are only allowed when 'tools' are specified.", { param: "tool_choice" });
  if (body["background"] === true && body["store"] === false)
    return refuse(400, "Background mode requires that 'store' is true.", { param: "store" });
  return itemsOf(body["input"]) ? undefined : refuse(400, "Invalid value for 'input'.", { param: "input" });
}

/** The input's items; a text is one user message. `undefined`: not an input. */
export function itemsOf(input: unknown): readonly Item[] | undefined {
  if (typeof input === "string") return [{ type: "message", role: "user", content: input }];
  if (!Array.isArray(input) || input.length === 0) return undefined;
  const items = input.map((item: Item) => (item["type"] === undefined ? { ...item, type: "message" } : item));
  return items.every(isItem) ? items : undefined;
}

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";

function isItem(item: Item): boolean {
  const checks: Readonly<Record<string, () => boolean>> = {
    message: () =>
      ["user", "assistant", "system", "developer"].includes(String(item["role"])) &&
      (typeof item["content"] === "string" || Array.isArray(item["content"])),
    function_call: () =>
      isText(item["call_id"]) && isText(item["name"]) && typeof item["arguments"] === "string",
    function_call_output: () => isText(item["call_id"]) && typeof item["output"] === "string",
    reasoning: () => isText(item["id"]) && Array.isArray(item["summary"]),
  };
  return checks[String(item["type"])]?.() ?? false;
}

/**
 * The rules between the items of one conversation: calls and their outputs come in pairs, and unstored reasoning comes
 * back encrypted, before what it led to.
 */
export function conversationRefusal(before: readonly Item[], input: readonly Item[]): Refusal | undefined {
  const all = [...before, ...input];
  const idsOf = (type: string) =>
    all.filter((item) => item["type"] === type).map((item) => String(item["call_id"]));
  const called = idsOf("function_call");
  const answered = idsOf("function_call_output");
  const uncalled = answered.find((id) => !called.includes(id));
  if (uncalled)
    return refuse(400, `No tool call found for function call output with call_id ${uncalled}.`, {
      param: "input",
    });
  const open = called.find((id) => !answered.includes(id));
  if (open) return refuse(400, `No tool output found for function call ${open}.`, { param: "input" });
  const bare = input.find((item) => item["type"] === "reasoning" && !isText(item["encrypted_content"]));
  if (bare)
    return refuse(
      404,
      `Item with id '${String(bare["id"])}' not found. Items are not persisted when \`store\` is set to false.`,
      {
        param: "input",
      },
    );
  const reasoned = input.some((item) => item["type"] === "reasoning");
  const orphan = input.find((item) => item["type"] === "function_call" && item["id"] !== undefined);
  if (orphan && !reasoned) {
    const id = String(orphan["id"]);
    return refuse(
      400,
      `Item '${id}' of type 'function_call' was provided without its required 'reasoning' item.`,
      {
        param: "input",
      },
    );
  }
  return undefined;
}
