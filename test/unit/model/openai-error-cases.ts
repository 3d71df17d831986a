import type { Answer } from "../../support/responses-server.ts";
import {
  apiError,
  completed,
  ended,
  functionCall,
  html,
  json,
  message,
  rawStream,
  stream,
} from "../../support/responses-server.ts";

export interface Case {
  readonly rule: string;
  readonly answer: Answer;
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly previousResponseId?: string;
  /** In which it is asked. */
  readonly serviceTier?: "flex" | "default";
}

const quota = {
  message: "You exceeded your current quota.",
  type: "insufficient_quota",
  code: "insufficient_quota",
};
const missing = {
  message: "Previous response with id 'resp_0' not found.",
  code: "previous_response_not_found",
};

/** A parameter that the model does not take is told by the setting that it comes from. */
const refusedSettings: readonly Case[] = (
  [
    ["reasoning.effort", "inference.reasoningEffort"],
    ["service_tier", "inference.serviceTier"],
    ["max_output_tokens", "inference.maxOutputTokens"],
    ["tools[12]", "inference.hostedTools"],
  ] as const
).map(([param, setting]) => ({
  rule: `a model that does not take ${param}`,
  answer: apiError(400, { message: "Unsupported value.", param, code: "unsupported_value" }),
  code: "model_rejected",
  message: `the model's provider rejected the request: Unsupported value. (HTTP 400, code unsupported_value, setting ${setting})`,
  status: 400,
}));

/** None of these is worth another try: the server would answer 418 to a second request. */
export const cases: readonly Case[] = [
  {
    rule: "an exhausted quota is not a rate limit",
    answer: apiError(429, quota),
    code: "model_quota_exhausted",
    message:
      "the quota of the model's account is used up: You exceeded your current quota. (HTTP 429, code insufficient_quota)",
    status: 429,
  },
  {
    rule: "no room in the tier flex is no rate limit",
    answer: apiError(429, { message: "Resource unavailable.", code: "resource_unavailable" }),
    code: "model_no_room",
    message:
      "the model's provider has no room in the service tier that was asked for: Resource unavailable. (HTTP 429, code resource_unavailable)",
    status: 429,
    serviceTier: "flex",
  },
  {
    rule: "an exhausted quota in the tier flex is none of room",
    answer: apiError(429, quota),
    code: "model_quota_exhausted",
    message:
      "the quota of the model's account is used up: You exceeded your current quota. (HTTP 429, code insufficient_quota)",
    status: 429,
    serviceTier: "flex",
  },
  {
    rule: "no room in the tier flex, told by a failed response",
    answer: stream(
      ended("failed", { service_tier: "flex", error: { code: "resource_unavailable", message: "Later." } }),
    ),
    code: "model_no_room",
    message:
      "the model's provider has no room in the service tier that was asked for: Later. (code resource_unavailable)",
  },
  ...refusedSettings,
  {
    rule: "a parameter that comes from no setting, whatever its name",
    answer: apiError(400, { message: "No.", param: "constructor", code: "bad" }),
    code: "model_rejected",
    message: "the model's provider rejected the request: No. (HTTP 400, code bad)",
    status: 400,
  },
  {
    rule: "an exhausted quota in an error event",
    answer: stream({
      type: "error",
      error: { ...quota, code: "credit_balance_exhausted" },
      sequence_number: 2,
    }),
    code: "model_quota_exhausted",
    message:
      "the quota of the model's account is used up: You exceeded your current quota. (code credit_balance_exhausted, request req_stream)",
  },
  {
    rule: "an exhausted quota in a failed response",
    answer: stream(ended("failed", { error: quota })),
    code: "model_quota_exhausted",
    message:
      "the quota of the model's account is used up: You exceeded your current quota. (code insufficient_quota)",
  },
  {
    rule: "a previous response that OpenAI does not have",
    answer: apiError(400, { ...missing, type: "invalid_request_error", param: "previous_response_id" }),
    code: "model_previous_response_missing",
    message:
      "the model's provider does not have the previous response: Previous response with id 'resp_0' not found. (HTTP 400, code previous_response_not_found)",
    status: 400,
  },
  {
    rule: "a previous response that a compatible server answers with 404",
    answer: apiError(404, { message: "Response with id resp_0 was not found" }),
    code: "model_previous_response_missing",
    message:
      "the model's provider does not have the previous response: Response with id resp_0 was not found (HTTP 404)",
    status: 404,
    previousResponseId: "resp_0",
  },
  {
    rule: "a previous response for which a server without stored responses has no use",
    answer: apiError(500, { message: "this server does not support 'previous_response_id'." }),
    code: "model_previous_response_missing",
    message:
      "the model's provider does not have the previous response: this server does not support 'previous_response_id'. (HTTP 500)",
    status: 500,
    previousResponseId: "resp_0",
  },
  {
    rule: "a previous response that a server leaves out",
    answer: stream(
      { type: "response.created", response: { id: "resp_1", previous_response_id: null } },
      completed(message("What was the question?")),
    ),
    code: "model_previous_response_missing",
    message: "the model's provider answered without the previous response",
    previousResponseId: "resp_0",
  },
  {
    rule: "a previous response that is missed inside the stream",
    answer: stream({ type: "error", error: missing }),
    code: "model_previous_response_missing",
    message:
      "the model's provider does not have the previous response: Previous response with id 'resp_0' not found. (code previous_response_not_found, request req_stream)",
  },
  {
    rule: "another 404 while chaining is not a missing response",
    answer: apiError(404, { message: "The model does not exist", code: "model_not_found" }),
    code: "model_rejected",
    message:
      "the model's provider rejected the request: The model does not exist (HTTP 404, code model_not_found)",
    status: 404,
    previousResponseId: "resp_0",
  },
  {
    rule: "a model that the key may not use is not a refused key",
    answer: apiError(403, { message: "Project has no access to model x", code: "model_not_found" }),
    code: "model_rejected",
    message:
      "the model's provider rejected the request: Project has no access to model x (HTTP 403, code model_not_found)",
    status: 403,
  },
  {
    rule: "a rejected request passes the provider's words on",
    answer: apiError(
      400,
      { message: "Invalid schema\n for function", type: "invalid_request_error" },
      { "x-request-id": "req_9" },
    ),
    code: "model_rejected",
    message:
      "the model's provider rejected the request: Invalid schema for function (HTTP 400, request req_9)",
    status: 400,
  },
  {
    rule: "a rejection inside the stream",
    answer: stream({
      type: "error",
      error: { type: "invalid_request_error", code: "context_length_exceeded", message: "Too long" },
    }),
    code: "model_rejected",
    message:
      "the model's provider rejected the request: Too long (code context_length_exceeded, request req_stream)",
  },
  {
    rule: "a flat error event without an SSE name",
    answer: rawStream(`data: ${JSON.stringify({ type: "error", code: "strange", message: "Odd" })}\n\n`),
    code: "model_failed",
    message: "the model's provider reports that the response failed: Odd (code strange, request req_stream)",
  },
  {
    rule: "a FastAPI server's detail",
    answer: json(422, { detail: "store is not supported" }),
    code: "model_rejected",
    message: "the model's provider rejected the request: store is not supported (HTTP 422)",
    status: 422,
  },
  {
    rule: "an HTML page with status 404",
    answer: html(404),
    code: "model_contract",
    message: "what answered at the model's address is not the Responses API (HTTP 404)",
    status: 404,
  },
  {
    rule: "JSON that is not a response",
    answer: json(200, { ok: true }),
    code: "model_contract",
    message:
      "the model's answer breaks the Responses schema at response.id: Invalid input: expected string, received undefined",
  },
  {
    rule: "broken JSON in the stream",
    answer: rawStream("event: response.completed\ndata: {nope\n\n"),
    code: "model_contract",
    message: "the model's answer holds broken JSON",
  },
  {
    rule: "a response without an id",
    answer: stream({ type: "response.completed", response: { output: [message("Hi")] } }),
    code: "model_contract",
    message:
      "the model's answer breaks the Responses schema at response.id: Invalid input: expected string, received undefined",
  },
  {
    rule: "a tool call without a call id",
    answer: stream(completed({ type: "function_call", name: "create_list", arguments: "{}" })),
    code: "model_contract",
    message:
      "the model's answer breaks the Responses schema at function_call.call_id: Invalid input: expected string, received undefined",
  },
  {
    rule: "a failed response",
    answer: stream(ended("failed", { error: { code: "invalid_prompt", message: "Bad prompt" } })),
    code: "model_failed",
    message: "the model's provider reports the response as failed: Bad prompt (code invalid_prompt)",
  },
  {
    rule: "a cancelled response",
    answer: stream(ended("completed", { status: "cancelled", output: [] })),
    code: "model_failed",
    message: "the model's provider reports the response as cancelled",
  },
  {
    rule: "an answer cut at the output limit, whatever it already holds",
    answer: stream(
      ended("incomplete", {
        incomplete_details: { reason: "max_output_tokens" },
        output: [message("Half"), functionCall("call_1", "create_list", '{"a"')],
      }),
    ),
    code: "model_incomplete",
    message: "the model stopped at its output limit, before its answer was whole",
  },
  {
    rule: "an answer stopped by the content filter",
    answer: stream(ended("incomplete", { incomplete_details: { reason: "content_filter" }, output: [] })),
    code: "model_content_filtered",
    message: "the provider's content filter stopped the model's answer",
  },
  {
    rule: "a refusal says why",
    answer: stream(
      completed({ ...message(""), content: [{ type: "refusal", refusal: "I cannot help with that." }] }),
    ),
    code: "model_refused",
    message: "the model declined: I cannot help with that.",
  },
  {
    rule: "a long refusal is cut to 300 characters",
    answer: stream(completed({ ...message(""), content: [{ type: "refusal", refusal: "x".repeat(500) }] })),
    code: "model_refused",
    message: `the model declined: ${"x".repeat(300)}`,
  },
  {
    rule: "neither text nor calls",
    answer: stream(completed(message("  \n"))),
    code: "model_empty",
    message: "the model answered with neither text nor a tool call",
  },
];
