import { APIConnectionError, APIError } from "openai/error";
import type { EventSourceMessage } from "eventsource-parser";
import { fitsMemory, longestAnswerBytes, partsIn } from "../bounded.ts";
import type { Clock } from "../clock.ts";
import { RunnerError } from "../errors.ts";
import type { Fetch } from "../http.ts";
import { redactor } from "../redact.ts";
import { readRetryAfterMs } from "../retry-after.ts";
import type { Secret } from "../secret.ts";
import { framesOf } from "./frames.ts";
import { answerTooLong, callModel, parseModestJson, readJson } from "./model-wire.ts";
import type { ModelAnswer, ModelCall } from "./model-wire.ts";
import type { ModelRequest } from "./model.ts";
import type { ProviderTrouble } from "./provider-trouble.ts";
import { connectionError, isRateLimit, troubleError, troubleNames } from "./provider-trouble.ts";
import { requestBody } from "./request-body.ts";
import type { Line } from "./silence.ts";

export interface ApiDeps {
  readonly baseUrl?: string;
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Told of each 429 that is not about quota, with the wait that it asked for. */
  readonly onRateLimited?: (limit: { readonly retryAfterMs: number | undefined }) => void;
}

export interface ApiEvent {
  readonly type: string;
  readonly item?: unknown;
  readonly response?: unknown;
}

/** The provider's answer to a request for a response in the background: it as it stands, or "not in the background". */
export type Begun = { readonly response: unknown } | { readonly refusal: RunnerError };

/** The Responses API, one try each. Answers are unchecked. What they throw are RunnerErrors. */
export interface ResponsesApi {
  stream(request: ModelRequest): Promise<AsyncIterable<ApiEvent>>;
  begin(request: ModelRequest): Promise<Begun>;
  retrieve(responseId: string): Promise<unknown>;
  cancel(responseId: string): Promise<unknown>;
}

const defaultBaseUrl = "https://api.openai.com/v1";

/** The only place, with model-wire.ts, that knows the SDK. */
export function openResponsesApi(deps: ApiDeps, key: Secret, line: Line): ResponsesApi {
  const { baseUrl = defaultBaseUrl, fetch } = deps;
  const exchange = (about: About): Exchange => ({
    send: (call) => callModel({ baseUrl, fetch, key, line }, call),
    describe: describer(deps, { ...about, key, nowMs: deps.clock.now() }),
  });
  const stored = exchange({ isForStored: true });
  return {
    stream: (request) => openStream(exchange(request), request),
    begin: (request) => begin(exchange(request), request),
    retrieve: (id) => jsonOf(stored, { method: "GET", path: path(id) }),
    cancel: (id) => jsonOf(stored, { method: "POST", path: `${path(id)}/cancel` }),
  };
}

const path = (responseId: string): string => `/responses/${encodeURIComponent(responseId)}`;

/** A caught error as what goes out. */
type Describe = (error: unknown) => RunnerError;

interface Exchange {
  readonly send: (call: ModelCall) => Promise<ModelAnswer>;
  readonly describe: Describe;
}

type Events = AsyncIterable<ApiEvent>;

async function openStream({ send, describe }: Exchange, request: ModelRequest): Promise<Events> {
  const { include, ...plain } = requestBody(request, "stream");
  const ask = (body: object): Promise<ModelAnswer> => send({ method: "POST", path: "/responses", body });
  try {
    const answer = await ask({ ...plain, ...(include === undefined ? {} : { include }) }).catch(
      (error: unknown) => {
        if (!isEncryptedContentUnsupported(error)) throw error;
        return ask(plain);
      },
    );
    refusePage(answer, "an event stream");
    return isJson(answer) ? wholeAnswer(answer, describe) : eventsOf(answer, describe);
  } catch (error) {
    throw describeOpening(error, describe);
  }
}

const isJson = ({ headers }: ModelAnswer): boolean => /\bjson\b/i.test(headers.get("content-type") ?? "");

/** A server that does not stream has answered all the same, and the answer is paid for. */
async function* wholeAnswer(answer: ModelAnswer, describe: Describe): AsyncGenerator<ApiEvent, void> {
  yield { type: "response.completed", response: await jsonIn(answer, describe) };
}

async function* eventsOf(answer: ModelAnswer, describe: Describe): AsyncGenerator<ApiEvent, void> {
  try {
    const kept = { chars: 0, parts: 0 };
    for await (const frame of framesOf(answer)) {
      if (isRepetition(frame)) continue;
      const event = eventIn(frame, answer);
      if (event.type === "response.output_item.done") keep(kept, frame.data);
      yield event;
    }
  } catch (error) {
    throw describe(error);
  }
}

/** Items are kept until the response ends. */
function keep(kept: { chars: number; parts: number }, data: string): void {
  kept.chars += data.length;
  kept.parts += partsIn(data);
  if (!fitsMemory(kept.chars, kept.parts)) throw answerTooLong(longestAnswerBytes);
}

/** What other events have whole, or have said already: it is not even parsed. Deltas come by the thousand. */
const isRepetition = ({ event }: EventSourceMessage): boolean =>
  event !== undefined && (event.endsWith(".delta") || event === "response.in_progress");

/** An error comes as a frame of that name, as an event of that type, or as a field of any. */
function eventIn({ event: name, data }: EventSourceMessage, { headers }: ModelAnswer): ApiEvent {
  const fields = fieldsIn(data);
  const { type, item, response, error } = fields;
  const isError = name === "error" || type === "error";
  if (error || isError) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it asks them for one header
    throw new APIError(undefined, troubleNames(errorObject(error) ?? fields), undefined, headers as Headers);
  }
  return { type: typeof type === "string" ? type : "", item, response };
}

const errorObject = (error: unknown): object | undefined =>
  typeof error === "object" && error !== null ? error : undefined;

function fieldsIn(data: string): Readonly<Record<string, unknown>> {
  const value = parseModestJson(data);
  if (typeof value === "object" && value !== null) return { ...value };
  throw new SyntaxError("an event is no object");
}

async function begin(exchange: Exchange, request: ModelRequest): Promise<Begun> {
  const body = requestBody(request, "background");
  let refusal: RunnerError | undefined;
  const describe: Describe = (error) => {
    const described = exchange.describe(error);
    if (isBackgroundRefused(error)) refusal = described;
    return described;
  };
  try {
    const call = { method: "POST", path: "/responses", body } as const;
    const response = await jsonOf({ ...exchange, describe }, call);
    return { response };
  } catch (error) {
    if (refusal === undefined) throw error;
    return { refusal };
  }
}

async function jsonOf({ send, describe }: Exchange, call: ModelCall): Promise<unknown> {
  const answer = await send(call).catch((error: unknown) => {
    throw describeOpening(error, describe);
  });
  refusePage(answer, "JSON");
  return await jsonIn(answer, describe);
}

async function jsonIn({ body }: ModelAnswer, describe: Describe): Promise<unknown> {
  try {
    return await readJson(body);
  } catch (error) {
    throw describe(error);
  }
}

/** A page is a proxy's, and passes. */
function refusePage({ headers }: ModelAnswer, wanted: string): void {
  const type = headers.get("content-type") ?? "";
  if (!/\bhtml\b/i.test(type)) return;
  const what = `the model's address answered with ${type.split(";")[0]}, not with ${wanted}`;
  throw new RunnerError("model_contract", what, { retryable: true });
}

/** Models without reasoning refuse the `include` that a conversation without stored responses asks for. */
const isEncryptedContentUnsupported = (error: unknown): boolean =>
  error instanceof APIError &&
  error.status === 400 &&
  (error.param === "include" || /encrypted content is not supported/i.test(error.message));

/** By name as OpenAI, vLLM and FastAPI's validation say it; 501 as servers do that have no store. */
const isBackgroundRefused = (error: unknown): boolean =>
  error instanceof APIError &&
  (error.status === 501 ||
    ((error.status === 400 || error.status === 422) &&
      /\bbackground\b/i.test(`${error.param} ${error.message}`)));

function describeOpening(error: unknown, describe: Describe): RunnerError {
  if (error instanceof APIError || error instanceof RunnerError) return describe(error);
  // A bug. Its words may hold the Authorization header, so that only its name goes out.
  const name = error instanceof Error ? error.name : typeof error;
  return new RunnerError("internal", `the request to the model could not be made (${name})`);
}

/** What the errors of an exchange are about. */
type About = Pick<ProviderTrouble, "previousResponseId" | "isForStored">;

interface Asked extends About {
  readonly key: Secret;
  readonly nowMs: number;
}

/**
 * The SDK's errors carry headers and bodies. What goes out keeps the status, the code, the request id and a few of the
 * provider's words; there is no cause.
 */
function describer(deps: ApiDeps, asked: Asked): Describe {
  return (error) => {
    if (error instanceof RunnerError) return error;
    if (error instanceof APIConnectionError) return connectionError(error);
    if (error instanceof SyntaxError)
      return new RunnerError("model_contract", "the model's answer holds broken JSON");
    if (!(error instanceof APIError)) return connectionError(error);
    const redact = redactor(asked.key.reveal());
    const { code, type, param, message } = troubleNames(error.error);
    const trouble: ProviderTrouble = {
      code: code && redact(code),
      type,
      param,
      message: message && redact(message),
      status: error.status,
      requestId: error.requestID ? redact(error.requestID) : undefined,
      retryAfterMs: readRetryAfterMs((name) => error.headers?.get(name), asked.nowMs),
      isJson: error.error !== undefined,
      previousResponseId: asked.previousResponseId,
      isForStored: asked.isForStored,
    };
    if (isRateLimit(trouble)) deps.onRateLimited?.({ retryAfterMs: trouble.retryAfterMs });
    return troubleError(trouble);
  };
}
