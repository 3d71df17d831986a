import type { Responses } from "openai/resources/responses/responses";
import { APIConnectionError, APIError, OpenAI } from "openai";
import type { Clock } from "../clock.ts";
import { RunnerError } from "../errors.ts";
import { userAgent, type Fetch } from "../http.ts";
import { readRetryAfterMs } from "../retry-after.ts";
import type { Secret } from "../secret.ts";
import { listeningFetch } from "./listening-fetch.ts";
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
/** The longest delay of a Node timer: the SDK's own time limit is out of the way, ours is the silence limit. */
const noSdkTimeoutMs = 2_147_483_647;

/** The only place that knows the SDK. */
export function openResponsesApi(deps: ApiDeps, key: Secret, line: Line): ResponsesApi {
  const client = createClient(deps, key, line);
  const exchange = (about: About): Exchange => ({
    client,
    signal: line.signal,
    describe: describer(deps, { ...about, key, nowMs: deps.clock.now() }),
  });
  const stored = { isForStored: true };
  return {
    stream: (request) => openStream(exchange(request), request),
    begin: (request) => begin(exchange(request), request),
    retrieve: (id) => readJson(exchange(stored), (options) => client.get(path(id), options)),
    cancel: (id) => readJson(exchange(stored), (options) => client.post(`${path(id)}/cancel`, options)),
  };
}

const path = (responseId: string): string => `/responses/${encodeURIComponent(responseId)}`;

/** Every option that the SDK would else take from the environment is given. */
function createClient(deps: ApiDeps, key: Secret, line: Line): OpenAI {
  return new OpenAI({
    apiKey: key.reveal(),
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL: deps.baseUrl ?? defaultBaseUrl,
    maxRetries: 0,
    timeout: noSdkTimeoutMs,
    logLevel: "off",
    defaultHeaders: { "user-agent": userAgent },
    fetch: listeningFetch(deps.fetch, line),
  });
}

/** A caught error as what goes out. */
type Describe = (error: unknown) => RunnerError;

interface Exchange {
  readonly client: OpenAI;
  readonly signal: AbortSignal;
  readonly describe: Describe;
}

type StreamBody = Responses.ResponseCreateParamsStreaming;
type SdkStream = AsyncIterable<Responses.ResponseStreamEvent>;
type Events = AsyncIterable<ApiEvent>;

async function openStream(exchange: Exchange, request: ModelRequest): Promise<Events> {
  const { client, signal, describe } = exchange;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- earlier turns go back as the provider gave them
  const body = requestBody(request, "stream") as StreamBody;
  const send = async (sent: StreamBody): Promise<Events> => {
    const { data, response } = await client.responses.create(sent, { signal }).withResponse();
    refusePage(response, "an event stream");
    return isJson(response) ? wholeAnswer(response, describe) : eventsOf(data, describe);
  };
  try {
    return await send(body).catch(async (error: unknown) => {
      if (!isEncryptedContentUnsupported(error)) throw error;
      const { include: _include, ...plain } = body;
      return await send(plain);
    });
  } catch (error) {
    throw describeOpening(error, describe);
  }
}

const isJson = ({ headers }: Response): boolean => /\bjson\b/i.test(headers.get("content-type") ?? "");

/** A server that does not stream has answered all the same, and the answer is paid for. */
async function* wholeAnswer(answer: Response, describe: Describe): AsyncGenerator<ApiEvent, void> {
  yield { type: "response.completed", response: await jsonIn(answer, describe) };
}

async function* eventsOf(stream: SdkStream, describe: Describe): AsyncGenerator<ApiEvent, void> {
  try {
    for await (const event of stream) {
      // The SDK throws an error event that is named so in its SSE frame; others come through.
      if (event.type === "error") throw new APIError(undefined, event, undefined, undefined);
      yield event;
    }
  } catch (error) {
    throw describe(error);
  }
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
    const response = await readJson({ ...exchange, describe }, (options) =>
      exchange.client.post("/responses", { ...options, body }),
    );
    return { response };
  } catch (error) {
    if (refusal === undefined) throw error;
    return { refusal };
  }
}

interface SdkOptions {
  readonly signal: AbortSignal;
}

/** Past the SDK's own reading of the answer, which breaks on responses that leave out fields. */
async function readJson(
  { signal, describe }: Exchange,
  send: (options: SdkOptions) => { asResponse(): Promise<Response> },
): Promise<unknown> {
  const answer = await send({ signal })
    .asResponse()
    .catch((error: unknown) => {
      throw describeOpening(error, describe);
    });
  refusePage(answer, "JSON");
  return await jsonIn(answer, describe);
}

async function jsonIn(answer: Response, describe: Describe): Promise<unknown> {
  try {
    return JSON.parse(await answer.text());
  } catch (error) {
    throw describe(error);
  }
}

/** A page is a proxy's, and passes. */
function refusePage({ headers }: Response, wanted: string): void {
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
    const names = troubleNames(error.error);
    const trouble: ProviderTrouble = {
      ...names,
      message: names.message?.replaceAll(asked.key.reveal(), "[redacted]"),
      status: error.status,
      requestId: error.requestID ?? undefined,
      retryAfterMs: readRetryAfterMs((name) => error.headers?.get(name), asked.nowMs),
      isJson: error.error !== undefined,
      previousResponseId: asked.previousResponseId,
      isForStored: asked.isForStored,
    };
    if (isRateLimit(trouble)) deps.onRateLimited?.({ retryAfterMs: trouble.retryAfterMs });
    return troubleError(trouble);
  };
}
