import type { ErrorCode } from "../../../lib/core/errors.ts";
import type { ModelRequest } from "../../../lib/model/model.ts";
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

/** What is asked for, its answer, and what the error's message says after the words of its code. */
type Case = readonly [rule: string, answer: Answer, says: string, asked?: Partial<ModelRequest>];

const quota = { message: "No credit.", type: "insufficient_quota", code: "insufficient_quota" };
const missing = { message: "'resp_0' not found.", code: "previous_response_not_found" };
const chained = { previousResponseId: "resp_0" };
const inFlex = { options: { serviceTier: "flex" } } as const;
const error = (fields: Readonly<Record<string, unknown>>): Answer => stream({ type: "error", error: fields });
const refusing = (refusal: string): Answer =>
  stream(completed({ ...message(""), content: [{ type: "refusal", refusal }] }));
const refusingParameter = (param: string): Answer =>
  apiError(400, { message: "No.", param, code: "unsupported_value" });

const ofQuota: readonly Case[] = [
  [
    "an exhausted quota is not a rate limit",
    apiError(429, quota),
    "No credit. (HTTP 429, code insufficient_quota)",
  ],
  [
    "an exhausted quota is not a lack of room in the tier flex",
    apiError(429, quota),
    "No credit. (HTTP 429, code insufficient_quota)",
    inFlex,
  ],
  [
    "an exhausted quota in an error event",
    error({ ...quota, code: "credit_balance_exhausted" }),
    "No credit. (code credit_balance_exhausted, request req_stream)",
  ],
  [
    "an exhausted quota in a failed response",
    stream(ended("failed", { error: quota })),
    "No credit. (code insufficient_quota)",
  ],
];

const ofRoom: readonly Case[] = [
  [
    "no room in the tier flex is not a rate limit",
    apiError(429, { message: "Later.", code: "resource_unavailable" }),
    "Later. (HTTP 429, code resource_unavailable)",
    inFlex,
  ],
  [
    "a failed response says that the tier flex has no room",
    stream(
      ended("failed", { service_tier: "flex", error: { code: "resource_unavailable", message: "Later." } }),
    ),
    "Later. (code resource_unavailable)",
  ],
];

const ofMissing: readonly Case[] = [
  [
    "OpenAI does not have the previous response",
    apiError(400, { ...missing, param: "previous_response_id" }),
    "does not have the previous response: 'resp_0' not found. (HTTP 400, code previous_response_not_found)",
  ],
  [
    "a compatible server answers with 404 for the previous response",
    apiError(404, { message: "Response with id resp_0 was not found" }),
    "does not have the previous response: Response with id resp_0 was not found (HTTP 404)",
    chained,
  ],
  [
    "a server that stores nothing does not know the parameter",
    apiError(500, { message: "this server does not support 'previous_response_id'." }),
    "does not have the previous response: this server does not support 'previous_response_id'. (HTTP 500)",
    chained,
  ],
  [
    "a server ignores the previous response",
    stream(
      { type: "response.created", response: { id: "resp_1", previous_response_id: null } },
      completed(message("What was the question?")),
    ),
    "answered without the previous response",
    chained,
  ],
  [
    "an error event says that the previous response is missing",
    error(missing),
    "does not have the previous response: 'resp_0' not found. (code previous_response_not_found, request req_stream)",
  ],
];

const ofRejection: readonly Case[] = [
  [
    "a refused effort",
    refusingParameter("reasoning.effort"),
    "No. (HTTP 400, code unsupported_value, setting inference.reasoningEffort)",
  ],
  [
    "a refused tier",
    refusingParameter("service_tier"),
    "No. (HTTP 400, code unsupported_value, setting inference.serviceTier)",
  ],
  [
    "a refused output limit",
    refusingParameter("max_output_tokens"),
    "No. (HTTP 400, code unsupported_value, setting inference.maxOutputTokens)",
  ],
  [
    "a refused hosted tool",
    refusingParameter("tools[12]"),
    "No. (HTTP 400, code unsupported_value, setting inference.hostedTools)",
  ],
  [
    "a refused parameter that no setting gives",
    refusingParameter("constructor"),
    "No. (HTTP 400, code unsupported_value)",
  ],
  [
    "another 404 while chaining is not a missing response",
    apiError(404, { message: "No such model", code: "model_not_found" }),
    "No such model (HTTP 404, code model_not_found)",
    chained,
  ],
  [
    "a model that the key may not use is not a refused key",
    apiError(403, { message: "No access to model x", code: "model_not_found" }),
    "No access to model x (HTTP 403, code model_not_found)",
  ],
  [
    "the provider's words are passed on, with the request's id",
    apiError(400, { message: "Invalid schema\n for function" }, { "x-request-id": "req_9" }),
    "Invalid schema for function (HTTP 400, request req_9)",
  ],
  [
    "a rejection inside the stream",
    error({ type: "invalid_request_error", code: "context_length_exceeded", message: "Too long" }),
    "Too long (code context_length_exceeded, request req_stream)",
  ],
  ["a FastAPI server's detail", json(422, { detail: "No store" }), "No store (HTTP 422)"],
];

const ofContract: readonly Case[] = [
  [
    "an HTML page with 404",
    html(404),
    "what answered at the model's address is not the Responses API (HTTP 404)",
  ],
  [
    "JSON that is not a response",
    json(200, { ok: true }),
    "the model's answer breaks the Responses schema at response.id: Invalid input: expected string, received undefined",
  ],
  [
    "broken JSON in the stream",
    rawStream("event: response.completed\ndata: {nope\n\n"),
    "the model's answer holds broken JSON",
  ],
  [
    "a tool call without a call id",
    stream(completed({ type: "function_call", name: "create_list", arguments: "{}" })),
    "the model's answer breaks the Responses schema at function_call.call_id: Invalid input: expected string, received undefined",
  ],
];

const ofFailure: readonly Case[] = [
  [
    "an error event in an unknown form",
    rawStream(`data: ${JSON.stringify({ type: "error", code: "strange", message: "Odd" })}\n\n`),
    "that the response failed: Odd (code strange, request req_stream)",
  ],
  [
    "a failed response",
    stream(ended("failed", { error: { code: "invalid_prompt", message: "Bad prompt" } })),
    "the response as failed: Bad prompt (code invalid_prompt)",
  ],
  [
    "a cancelled response",
    stream(ended("completed", { status: "cancelled", output: [] })),
    "the response as cancelled",
  ],
];

const ofTheEnd: readonly (readonly [ErrorCode, Case])[] = [
  [
    "model_incomplete",
    [
      "an answer is cut at the output limit, whatever it holds by then",
      stream(
        ended("incomplete", {
          incomplete_details: { reason: "max_output_tokens" },
          output: [message("Half"), functionCall("call_1", "create_list", '{"a"')],
        }),
      ),
      "the model stopped at its output limit, before its answer was whole",
    ],
  ],
  [
    "model_content_filtered",
    [
      "the content filter stops an answer",
      stream(ended("incomplete", { incomplete_details: { reason: "content_filter" }, output: [] })),
      "the provider's content filter stopped the model's answer",
    ],
  ],
  ["model_refused", ["a refusal says why", refusing("I cannot help."), "the model declined: I cannot help."]],
  [
    "model_refused",
    [
      "a long refusal is cut to 300 characters",
      refusing("x".repeat(500)),
      `the model declined: ${"x".repeat(300)}`,
    ],
  ],
  [
    "model_empty",
    [
      "an answer has neither text nor calls",
      stream(completed(message("  \n"))),
      "the model answered with neither text nor a tool call",
    ],
  ],
];

/** None of these is worth another try. */
export const cases = [
  ["model_quota_exhausted", "the quota of the model's account is used up: ", ofQuota] as const,
  [
    "model_no_room",
    "the model's provider has no room in the service tier that was asked for: ",
    ofRoom,
  ] as const,
  ["model_previous_response_missing", "the model's provider ", ofMissing] as const,
  ["model_rejected", "the model's provider rejected the request: ", ofRejection] as const,
  ["model_contract", "", ofContract] as const,
  ["model_failed", "the model's provider reports ", ofFailure] as const,
  ...ofTheEnd.map(([code, one]) => [code, "", [one]] as const),
].flatMap(([code, words, group]) =>
  group.map(([rule, answer, says, asked]) => [code, rule, answer, words + says, asked] as const),
);
