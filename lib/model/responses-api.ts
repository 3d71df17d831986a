import type { ResponseCreateParamsBase } from "openai/resources/responses/responses";
import * as z from "zod";
import { APIError } from "openai/error";
import { Stream } from "openai/streaming";
import { fitsMemory, longestAnswerBytes, partsIn } from "../core/json.ts";
import { readText } from "../adapters/http.ts";
import type { Clock } from "../core/clock.ts";
import { RunnerError } from "../core/errors.ts";
import type { ModelClient } from "./client.ts";
import {
  describer,
  isEncryptedContentUnsupported,
  refusedPart,
  type About,
  type RefusedPart,
} from "./exchange-errors.ts";
import type { ModelRequest } from "./model.ts";
import { requestBody, type BackgroundDelivery } from "./request-body.ts";
import { answerTooLong, boundedEvents } from "./stream-bounds.ts";

export interface ApiOptions {
  readonly client: ModelClient;
  readonly clock: Clock;
  /** Called for each 429 that is not about quota, with the wait that it asked for. */
  readonly onRateLimited?: (limit: { readonly retryAfterMs: number | undefined }) => void;
}

/** When an exchange ends. */
export interface Line {
  /** The exchange ends after this long without a byte, from the request on. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

export interface ApiEvent {
  readonly type: string;
  readonly item?: unknown;
  readonly response?: unknown;
  /** Counts up within a response. */
  readonly sequence?: number | undefined;
}

/** The provider's answer to a background request: the response as it is, its events, or a refusal of the mode. */
export type BackgroundAnswer =
  | { readonly response: unknown }
  | { readonly events: AsyncIterable<ApiEvent> }
  | Refused;

/** The provider has no background mode, or does not stream background responses. */
export interface Refused {
  readonly refusal: RunnerError;
  readonly of: RefusedPart;
}

/** The Responses API, without retries. Answers are not validated. All functions throw RunnerErrors. */
export interface ResponsesApi {
  stream(request: ModelRequest): Promise<AsyncIterable<ApiEvent>>;
  /** Requests a response that the provider makes in the background. */
  createInBackground(request: ModelRequest, delivery: BackgroundDelivery): Promise<BackgroundAnswer>;
  /** Events of a background response: those after the event with that number, or all. */
  events(responseId: string, after: number | undefined): Promise<AsyncIterable<ApiEvent>>;
  retrieve(responseId: string): Promise<unknown>;
  cancel(responseId: string): Promise<unknown>;
}

export function openResponsesApi(provider: ApiOptions, { silenceMs, signal }: Line): ResponsesApi {
  const { client } = provider;
  const { responses } = client.openai;
  const options = { signal, fetchOptions: client.silentFor(silenceMs) };
  const exchange = (about: About): Exchange => {
    const describe = describer(provider, { ...about, silenceMs, nowMs: provider.clock.now() });
    return {
      describe,
      // Read the raw Response: compatible servers answer differently from what the client expects.
      create: (body) => responses.create(body, options).asResponse(),
      events: (answer) => eventsOf(client, answer, describe),
    };
  };
  const stored = { describe: exchange({ isForStored: true }).describe };
  return {
    stream: (request) => openStream(exchange(aboutOf(request)), request),
    createInBackground: (request, delivery) =>
      createInBackground(exchange(aboutOf(request)), request, delivery),
    events: (id, after) =>
      openEvents(exchange({ isForStored: true }), () =>
        responses
          .retrieve(
            id,
            after === undefined ? { stream: true } : { stream: true, starting_after: after },
            options,
          )
          .asResponse(),
      ),
    retrieve: (id) => jsonOf(stored, () => responses.retrieve(id, {}, options).asResponse()),
    cancel: (id) => jsonOf(stored, () => responses.cancel(id, options).asResponse()),
  };
}

const aboutOf = ({ previousResponseId, options }: ModelRequest): About => ({
  previousResponseId,
  tier: options?.serviceTier,
});

interface Exchange {
  /** Converts a caught error to the one that is thrown. */
  readonly describe: (error: unknown) => unknown;
  readonly create: (body: ResponseCreateParamsBase) => Promise<Response>;
  readonly events: (answer: Response) => AsyncIterable<ApiEvent>;
}

async function openStream(
  { create, events, describe }: Exchange,
  request: ModelRequest,
): Promise<AsyncIterable<ApiEvent>> {
  const { include, ...plain } = requestBody(request, "stream");
  try {
    const answer = await create(include === undefined ? plain : { ...plain, include }).catch(
      (error: unknown) => {
        if (!isEncryptedContentUnsupported(error)) throw error;
        return create(plain);
      },
    );
    refusePage(answer, "an event stream");
    return isJson(answer) ? wholeAnswer(answer, describe) : events(answer);
  } catch (error) {
    throw describe(error);
  }
}

const isEventStream = ({ headers }: Response): boolean =>
  /\bevent-stream\b/i.test(headers.get("content-type") ?? "");

const isJson = ({ headers }: Response): boolean => /\bjson\b/i.test(headers.get("content-type") ?? "");

/** A server that does not stream has still answered, and the answer is billed. */
async function* wholeAnswer(
  answer: Response,
  describe: Exchange["describe"],
): AsyncGenerator<ApiEvent, void> {
  yield { type: "response.completed", response: await jsonIn(answer, describe) };
}

async function* eventsOf(
  { openai }: ModelClient,
  answer: Response,
  describe: Exchange["describe"],
): AsyncGenerator<ApiEvent, void> {
  const over = new AbortController();
  try {
    const kept = { chars: 0, parts: 0 };
    for await (const event of Stream.fromSSEResponse<unknown>(boundedEvents(answer), over, openai)) {
      const fields = fieldsOf(event, answer);
      if (fields.type === "response.output_item.done") keep(kept, fields.item);
      yield fields;
    }
  } catch (error) {
    throw describe(error);
  }
}

/** Collects items until the response ends. */
function keep(kept: { chars: number; parts: number }, item: unknown): void {
  const json = JSON.stringify(item) ?? "";
  kept.chars += json.length;
  kept.parts += partsIn(json);
  if (!fitsMemory(kept.chars, kept.parts)) throw answerTooLong(longestAnswerBytes);
}

interface RawEvent {
  readonly type?: unknown;
  readonly item?: unknown;
  readonly response?: unknown;
  readonly sequence_number?: unknown;
}

const sequenceSchema = z.int().nonnegative();

/** The client throws for `error` events and for events with an `error` field. */
function fieldsOf(event: unknown, { headers }: Response): ApiEvent {
  if (typeof event !== "object" || event === null) throw new SyntaxError("an event is no object");
  const { type, item, response, sequence_number: number }: RawEvent = event;
  if (type === "error") throw new APIError(undefined, event, undefined, headers);
  const sequence = sequenceSchema.safeParse(number).data;
  return { type: typeof type === "string" ? type : "", item, response, sequence };
}

async function createInBackground(
  { create, describe, events }: Exchange,
  request: ModelRequest,
  delivery: BackgroundDelivery,
): Promise<BackgroundAnswer> {
  try {
    const answer = await create(requestBody(request, delivery));
    refusePage(answer, "a response");
    return isEventStream(answer) ? { events: events(answer) } : { response: await jsonIn(answer, describe) };
  } catch (error) {
    const described = describe(error);
    const of = refusedPart(error, delivery);
    if (of === undefined || !(described instanceof RunnerError)) throw described;
    return { refusal: described, of };
  }
}

async function openEvents(
  { describe, events }: Exchange,
  ask: () => Promise<Response>,
): Promise<AsyncIterable<ApiEvent>> {
  try {
    const answer = await ask();
    if (isEventStream(answer)) return events(answer);
    throw new RunnerError(
      "model_contract",
      "the model's provider answered without the events that were asked for",
    );
  } catch (error) {
    throw describe(error);
  }
}

async function jsonOf(
  { describe }: Pick<Exchange, "describe">,
  ask: () => Promise<Response>,
): Promise<unknown> {
  try {
    const answer = await ask();
    refusePage(answer, "JSON");
    return await jsonIn(answer, describe);
  } catch (error) {
    throw describe(error);
  }
}

async function jsonIn({ body }: Response, describe: Exchange["describe"]): Promise<unknown> {
  try {
    const { text, truncated } = await readText(body, longestAnswerBytes);
    if (truncated || !fitsMemory(text.length, partsIn(text))) throw answerTooLong(longestAnswerBytes);
    return JSON.parse(text);
  } catch (error) {
    throw describe(error);
  }
}

/** An HTML page comes from a proxy and may pass. */
function refusePage({ headers }: Response, wanted: string): void {
  const type = headers.get("content-type") ?? "";
  if (!/\bhtml\b/i.test(type)) return;
  const what = `the model's address answered with ${type.split(";")[0]}, not with ${wanted}`;
  throw new RunnerError("model_contract", what, { retryable: true });
}
