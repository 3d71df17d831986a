import * as z from "zod";
import { boundedList, idSchema } from "../core/bounded.ts";
import { RunnerError } from "../core/errors.ts";
import type { Redact } from "../core/secret.ts";
import {
  type ModelTurn,
  type ResponseStatus,
  type StoredTurn,
  type ToolCall,
  UnusableResponseError,
} from "./model.ts";
import { billedSchema, usageOf, type Billing } from "./billed.ts";
import { failedResponseError, isRateLimit, words } from "./provider-errors.ts";

/** How a response ended; by the event's name if the response has no status. */
export const outcomes = ["completed", "failed", "incomplete", "cancelled"] as const;
export type Outcome = (typeof outcomes)[number];

const outputSchema = boundedList(z.looseObject({ type: z.string() }), 1_000);

/**
 * The end of a Responses stream (OpenAI API reference, "The response object"). Fields that compatible servers leave
 * out without harm (status, usage, annotations) may be missing; an answer without an id cannot be chained or resumed.
 */
const responseSchema = z.looseObject({
  id: idSchema,
  status: z.string().nullish(),
  output: outputSchema.nullish(),
  error: z
    .looseObject({ code: z.string().nullish(), message: z.string().nullish() })
    .nullish()
    .catch(undefined),
  incomplete_details: z.looseObject({ reason: z.string().nullish() }).nullish().catch(undefined),
  ...billedSchema.shape,
});

/** While a response runs, only its head is meaningful. */
const headSchema = responseSchema.extend({
  status: z.enum(["queued", "in_progress", ...outcomes]).nullish(),
  previous_response_id: idSchema.nullish().catch(undefined),
  background: z.boolean().nullish().catch(undefined),
});

const messageSchema = z.looseObject({
  phase: z.string().nullish(),
  content: boundedList(
    z.looseObject({ type: z.string(), text: z.string().nullish(), refusal: z.string().nullish() }),
    1_000,
  ),
});

const callSchema = z.looseObject({
  call_id: idSchema,
  name: z.string().min(1),
  arguments: z.string(),
});

type Response = z.infer<typeof responseSchema>;
type Message = z.infer<typeof messageSchema>;

export interface TerminalEvent {
  readonly outcome: Outcome;
  /** The event's `response`, unchecked. */
  readonly response: unknown;
  /** Items of `response.output_item.done`: some servers leave `output` empty at the end. */
  readonly items: readonly unknown[];
}

export interface Reading extends Billing {
  /** Removes secrets from the provider's message. */
  readonly redact: Redact;
}

/**
 * A finished stream as a turn.
 * @throws RunnerError `model_contract` if the response cannot be read; otherwise UnusableResponseError: `model_contract`, `model_failed`,
 * `model_incomplete`, `model_content_filtered`, `model_refused`, `model_empty`, `model_quota_exhausted`
 */
export function turnFrom(event: TerminalEvent, reading: Reading): ModelTurn {
  const response = parse(responseSchema, event.response, "response");
  try {
    return turnOf(event, response, reading);
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error;
    throw new UnusableResponseError(error, { responseId: response.id, usage: usageOf(response, reading) });
  }
}

function turnOf(event: TerminalEvent, response: Response, reading: Reading): ModelTurn {
  const { redact } = reading;
  refuseUnlessCompleted(outcomeOf(event.outcome, response.status), response, redact);
  const output = response.output?.length ? response.output : parse(outputSchema, event.items, "output");
  const messages = output
    .filter(({ type }) => type === "message")
    .map((item) => parse(messageSchema, item, "message"));
  refuseRefusal(messages, redact);
  const calls = output.filter(({ type }) => type === "function_call").map(callFrom);
  const text = textOf(messages);
  if (calls.length === 0 && text.trim() === "") {
    throw new RunnerError("model_empty", "the model answered with neither text nor a tool call");
  }
  const outputItems = oneCallPerId(output);
  return { responseId: response.id, text, calls, usage: usageOf(response, reading), outputItems };
}

export interface ResponseHead extends Omit<StoredTurn, "turn" | "usage"> {
  readonly responseId: string;
  /** The provider says that the response was made in the background. */
  readonly background: boolean;
}

/** @throws RunnerError `model_contract` */
export const headOf = (response: unknown): ResponseHead => readHead(parse(headSchema, response, "response"));

function readHead({
  id,
  status,
  background,
  previous_response_id,
}: z.infer<typeof headSchema>): ResponseHead {
  return {
    responseId: id,
    status: status ?? "completed",
    previousResponseId: previous_response_id ?? undefined,
    background: background === true,
  };
}

/**
 * Some servers accept the reference to the previous response but ignore it, and answer without the earlier conversation.
 * The response's first event shows that, before it has cost much.
 * @throws RunnerError `model_previous_response_missing`
 */
export function refuseWithoutPrevious(response: unknown, previousResponseId: string | undefined): void {
  if (previousResponseId === undefined || typeof response !== "object" || response === null) return;
  if (Reflect.get(response, "previous_response_id") !== null) return;
  throw new RunnerError(
    "model_previous_response_missing",
    "the model's provider answered without the previous response",
  );
}

/** How a response ended; undefined while it runs. */
export const endOf = (status: ResponseStatus): Outcome | undefined =>
  outcomes.find((outcome) => outcome === status);

/** @throws RunnerError `model_contract` if not even its head can be read */
export function storedTurnFrom(response: unknown, { costOf }: Billing): StoredTurn {
  const head = parse(headSchema, response, "response");
  const { previousResponseId, status } = readHead(head);
  const turn = status === "completed" ? wholeTurn(response) : undefined;
  return { previousResponseId, status, turn, usage: usageOf(head, { costOf }) };
}

function wholeTurn(response: unknown): ModelTurn | undefined {
  try {
    return turnFrom({ outcome: "completed", response, items: [] }, { redact: String });
  } catch (error) {
    if (error instanceof RunnerError) return undefined; // the caller needs only the turn
    throw error;
  }
}

/** Whether the response failed because of a rate limit. */
export function endedAtRateLimit(response: unknown): boolean {
  const { error, service_tier: tier } = responseSchema.safeParse(response).data ?? {};
  return isRateLimit({ code: error?.code ?? undefined, tier: tier ?? undefined, isJson: true });
}

function outcomeOf(fromEvent: Outcome, status: string | null | undefined): Outcome {
  return outcomes.find((outcome) => outcome === status) ?? fromEvent;
}

function refuseUnlessCompleted(outcome: Outcome, response: Response, redact: Redact): void {
  if (outcome === "completed") return;
  if (outcome === "incomplete") throw incompleteError(redact(response.incomplete_details?.reason ?? ""));
  const { code, message } = response.error ?? {};
  throw failedResponseError(outcome, {
    code: code ? redact(code) : undefined,
    message: message ? redact(message) : undefined,
    isJson: true,
    tier: response.service_tier ?? undefined,
  });
}

function incompleteError(reason: string): RunnerError {
  if (reason === "content_filter") {
    return new RunnerError(
      "model_content_filtered",
      "the provider's content filter stopped the model's answer",
    );
  }
  const because =
    reason === "max_output_tokens" || reason === "" ? "at its output limit" : `early (${words(reason)})`;
  return new RunnerError("model_incomplete", `the model stopped ${because}, before its answer was whole`);
}

function refuseRefusal(messages: readonly Message[], redact: Redact): void {
  const refusal = messages.flatMap(({ content }) => content).find(({ type }) => type === "refusal");
  if (refusal === undefined) return;
  throw new RunnerError(
    "model_refused",
    `the model declined: ${words(redact(refusal.refusal ?? "it gave no reason"))}`,
  );
}

function callFrom(item: unknown): ToolCall {
  const call = parse(callSchema, item, "function_call");
  return { callId: call.call_id, name: call.name, arguments: call.arguments };
}

/** When a conversation is sent again, each call id has one call and one output. */
function oneCallPerId(output: z.infer<typeof outputSchema>): z.infer<typeof outputSchema> {
  const seen = new Set<unknown>();
  return output.filter(({ type, call_id: id }) => {
    if (type !== "function_call") return true;
    const isFirst = !seen.has(id);
    seen.add(id);
    return isFirst;
  });
}

/** Where the model marks its final answer, comments on the way to it are not part of the message. */
function textOf(messages: readonly Message[]): string {
  const final = messages.filter(({ phase }) => phase === "final_answer");
  return (final.length > 0 ? final : messages)
    .map(({ content }) =>
      content.map((part) => (part.type === "output_text" ? (part.text ?? "") : "")).join(""),
    )
    .filter((text) => text.trim() !== "")
    .join("\n\n");
}

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = [what, ...(issue?.path ?? [])].join(".");
  throw new RunnerError(
    "model_contract",
    `the model's answer breaks the Responses schema at ${where}: ${issue?.message}`,
  );
}
