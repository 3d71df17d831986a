import * as z from "zod";
import type { ConversationItem } from "./conversation.ts";
import { isObject } from "./fit.ts";
import { invalid } from "./invalid.ts";
import type { OutputItem } from "./wire.ts";
import { ApiError, newId } from "./wire.ts";

const inputText = z.looseObject({ type: z.literal("input_text"), text: z.string() });
const outputText = z.looseObject({ type: z.literal("output_text"), text: z.string() });
const refusal = z.looseObject({ type: z.literal("refusal"), refusal: z.string() });

const itemId = z.string().optional();

/**
 * A user's content is `input_text`, the model's own is `output_text`. The API refuses one in place of the
 * other.
 */
const personMessage = z.looseObject({
  id: itemId,
  type: z.literal("message"),
  role: z.enum(["user", "system", "developer"]),
  content: z.union([z.string(), z.array(inputText)]),
});
const assistantMessage = z.looseObject({
  id: itemId,
  type: z.literal("message"),
  role: z.literal("assistant"),
  content: z.union([z.string(), z.array(z.discriminatedUnion("type", [outputText, refusal]))]),
});
const functionCall = z.looseObject({
  id: itemId,
  type: z.literal("function_call"),
  call_id: z.string().min(1),
  name: z.string().min(1),
  arguments: z.string(),
});
const functionCallOutput = z.looseObject({
  id: itemId,
  type: z.literal("function_call_output"),
  call_id: z.string().min(1),
  output: z.union([z.string(), z.array(inputText)]),
});
const reasoning = z.looseObject({
  id: z.string(),
  type: z.literal("reasoning"),
  summary: z.array(z.unknown()),
  encrypted_content: z.string().nullish(),
});

type ParsedItem =
  | z.output<typeof personMessage>
  | z.output<typeof assistantMessage>
  | z.output<typeof functionCall>
  | z.output<typeof functionCallOutput>
  | z.output<typeof reasoning>;

/** A validated input item: its content is a list of parts, and it has an id. */
export type InputItem = ParsedItem & { readonly id: string };

export type ContextItem = InputItem | OutputItem;

interface Kind {
  readonly idPrefix: string;
  readonly schemaFor: (item: Readonly<Record<string, unknown>>) => z.ZodType<ParsedItem>;
}

const kinds: Readonly<Record<string, Kind>> = {
  message: {
    idPrefix: "msg",
    schemaFor: (item) => (item["role"] === "assistant" ? assistantMessage : personMessage),
  },
  function_call: { idPrefix: "fc", schemaFor: () => functionCall },
  function_call_output: { idPrefix: "fco", schemaFor: () => functionCallOutput },
  reasoning: { idPrefix: "rs", schemaFor: () => reasoning },
};

/** @throws ApiError 400 that names the invalid item and field */
export function inputItems(input: string | readonly unknown[]): readonly InputItem[] {
  const items = typeof input === "string" ? [{ type: "message", role: "user", content: input }] : input;
  return items.map((item, index) => {
    if (!isObject(item))
      throw new ApiError(400, `Invalid type for 'input[${index}]'.`, { code: "invalid_type" });
    const type = typeOf(item);
    const kind = kinds[type];
    if (kind === undefined) throw unknownType(type, `input[${index}].type`);
    const result = kind.schemaFor(item).safeParse({ ...item, type });
    if (!result.success) throw invalid(result.error.issues[0], item, ["input", index]);
    return { ...withParts(result.data), id: result.data.id ?? newId(kind.idPrefix) };
  });
}

/** A message may omit its type. */
function typeOf(item: Readonly<Record<string, unknown>>): string {
  if (typeof item["type"] === "string") return item["type"];
  return "role" in item ? "message" : "";
}

function unknownType(type: string, param: string): ApiError {
  const supported = Object.keys(kinds).map((name) => `'${name}'`);
  const message = `Invalid value: '${type}'. Supported values are: ${supported.join(", ")}.`;
  return new ApiError(400, message, { code: "invalid_value", param });
}

function withParts(item: ParsedItem): ParsedItem {
  if (item.type !== "message" || typeof item.content !== "string") return item;
  if (item.role === "assistant") return { ...item, content: [{ type: "output_text", text: item.content }] };
  return { ...item, content: [{ type: "input_text", text: item.content }] };
}

type Part = { readonly text: string } | { readonly refusal: string };

const textOf = (parts: string | readonly Part[]): string =>
  typeof parts === "string"
    ? parts
    : parts.map((part) => ("text" in part ? part.text : part.refusal)).join("");

/** The conversation for the script, without instructions and reasoning, which do not affect it. */
export function conversationItems(context: readonly ContextItem[]): readonly ConversationItem[] {
  return context.flatMap((item): readonly ConversationItem[] => {
    if (item.type === "function_call") {
      return [{ type: "call", callId: item.call_id, name: item.name, arguments: item.arguments }];
    }
    if (item.type === "function_call_output") {
      return [{ type: "output", callId: item.call_id, output: textOf(item.output) }];
    }
    if (item.type !== "message" || item.role === "system" || item.role === "developer") return [];
    return [{ type: item.role, text: textOf(item.content) }];
  });
}

/** @throws ApiError 400 if a call does not have exactly one output, or an output has no call */
export function checkToolOutputs(context: readonly ContextItem[]): void {
  const calls = new Set(context.flatMap((item) => (item.type === "function_call" ? [item.call_id] : [])));
  const outputs = context.flatMap((item) => (item.type === "function_call_output" ? [item.call_id] : []));
  const stray = outputs.find((id) => !calls.has(id));
  const param = { param: "input" };
  if (stray !== undefined) {
    throw new ApiError(400, `No tool call found for function call output with call_id ${stray}.`, param);
  }
  const twice = outputs.find((id, at) => outputs.indexOf(id) !== at);
  if (twice !== undefined) {
    const rule = "Each function_call must have exactly one matching function_call_output.";
    throw new ApiError(400, `Duplicate function_call_output for call_id '${twice}'. ${rule}`, param);
  }
  const open = [...calls].find((id) => !outputs.includes(id));
  if (open !== undefined) throw new ApiError(400, `No tool output found for function call ${open}.`, param);
}
