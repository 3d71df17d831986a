import type { Responses } from "openai/resources/responses/responses";
import { APIConnectionError, APIError, OpenAI } from "openai";
import type { Clock } from "../clock.ts";
import { hasCode, RunnerError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import type { RetryPolicy } from "../retry.ts";
import { retry } from "../retry.ts";
import type { Secret } from "../secret.ts";
import type { ModelFetch } from "./listening-fetch.ts";
import { listeningFetch } from "./listening-fetch.ts";
import type { Model, ModelRequest, ModelTurn } from "./model.ts";
import { troubleError, troubleNames } from "./provider-trouble.ts";
import { requestBody } from "./request-body.ts";
import type { TerminalEvent } from "./response-answer.ts";
import { outcomes, turnFrom } from "./response-answer.ts";
import { readRetryAfterMs } from "../retry-after.ts";
import type { Line } from "./silence.ts";
import { withSilenceLimit } from "./silence.ts";

/** Worth a log line; nothing secret in it. */
export type ModelNote =
  | {
      readonly kind: "retry";
      readonly code: ErrorCode;
      readonly status: number | undefined;
      readonly waitMs: number;
    }
  | { readonly kind: "key_refetched" };

export interface OpenAiDeps {
  readonly apiKey: {
    get(signal?: AbortSignal): Promise<Secret>;
    /** Past the cache: called once after the provider refused the cached key. */
    refresh(signal?: AbortSignal): Promise<Secret>;
  };
  readonly baseUrl?: string;
  readonly fetch: ModelFetch;
  readonly clock: Clock;
  /** 0 (included) to 1 (excluded). */
  readonly random: () => number;
  /** Without a byte for this long, from the request on, the line counts as dead. Default 90 s. */
  readonly silenceMs?: number;
  readonly onEvent?: (note: ModelNote) => void;
}

const defaultBaseUrl = "https://api.openai.com/v1";
const defaultSilenceMs = 90_000;
/** The longest delay of a Node timer: the SDK's own time limit is out of the way, ours is the silence limit. */
const noSdkTimeoutMs = 2_147_483_647;
const policy: RetryPolicy = { attempts: 5, baseMs: 1_000, maxMs: 30_000, maxRetryAfterMs: 60_000 };

/**
 * The Responses API as a model, streaming. One retry layer, ours (the SDK's is off): 5 attempts on 408, 409, 429, 5xx,
 * a lost connection, silence and passing faults of the provider. A refused key is fetched anew and tried once more.
 */
export function createOpenAiModel(deps: OpenAiDeps): Model {
  return {
    generate: async (request, signal) => {
      signal.throwIfAborted();
      try {
        return await ask(deps, { request, key: await deps.apiKey.get(signal) }, signal);
      } catch (error) {
        if (!hasCode(error, "model_key_refused")) throw error;
      }
      deps.onEvent?.({ kind: "key_refetched" });
      return await ask(deps, { request, key: await deps.apiKey.refresh(signal) }, signal);
    },
  };
}

interface Question {
  readonly request: ModelRequest;
  readonly key: Secret;
}

async function ask(deps: OpenAiDeps, question: Question, signal: AbortSignal): Promise<ModelTurn> {
  const { clock, silenceMs = defaultSilenceMs, onEvent } = deps;
  const onRetry = ({ code, status }: RunnerError, waitMs: number): void =>
    onEvent?.({ kind: "retry", code, status, waitMs });
  return await retry({ deps, policy, signal, onRetry }, () =>
    withSilenceLimit({ clock, silenceMs, signal }, async (line) => {
      const client = createClient(deps, question.key, line);
      const describe = describer(question, clock.now());
      return turnFrom(await readToEnd(await open(client, { question, line, describe }), describe));
    }),
  );
}

/** Every option that the SDK would else take from the environment is given. */
function createClient(deps: OpenAiDeps, key: Secret, line: Line): OpenAI {
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
    fetch: listeningFetch(deps.fetch, line),
  });
}

/** A caught error as what goes out. */
type Describe = (error: unknown) => RunnerError;

interface Opening {
  readonly question: Question;
  readonly line: Line;
  readonly describe: Describe;
}

type Body = Responses.ResponseCreateParamsStreaming;
type Stream = AsyncIterable<Responses.ResponseStreamEvent>;

async function open(client: OpenAI, { question, line, describe }: Opening): Promise<Stream> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- earlier turns go back as the provider gave them
  const body = requestBody(question.request) as Body;
  const send = async (sent: Body): Promise<Stream> => {
    const { data, response } = await client.responses.create(sent, { signal: line.signal }).withResponse();
    const type = response.headers.get("content-type") ?? "";
    if (/\b(?:html|json)\b/i.test(type)) throw notAStream(type);
    return data;
  };
  try {
    return await send(body).catch(async (error: unknown) => {
      if (!isEncryptedContentUnsupported(error)) throw error;
      const { include: _include, ...plain } = body;
      return await send(plain);
    });
  } catch (error) {
    if (error instanceof APIError || error instanceof RunnerError) throw describe(error);
    // A bug. Its words may hold the Authorization header, so that only its name goes out.
    const name = error instanceof Error ? error.name : typeof error;
    throw new RunnerError("internal", `the request to the model could not be made (${name})`);
  }
}

const notAStream = (type: string): RunnerError =>
  new RunnerError(
    "model_contract",
    `the model's address answered with ${type.split(";")[0]}, not with an event stream`,
  );

/** Models without reasoning refuse the `include` that a conversation without stored responses asks for. */
const isEncryptedContentUnsupported = (error: unknown): boolean =>
  error instanceof APIError &&
  error.status === 400 &&
  (error.param === "include" || /encrypted content is not supported/i.test(error.message));

/** Reads until the response has ended in whatever way. Unknown events are ignored. */
async function readToEnd(stream: Stream, describe: Describe): Promise<TerminalEvent> {
  const items: unknown[] = [];
  try {
    for await (const event of stream) {
      // The SDK throws an error event that is named so in its SSE frame; others come through.
      if (event.type === "error") throw new APIError(undefined, event, undefined, undefined);
      if (event.type === "response.output_item.done") items.push(event.item);
      const outcome = outcomes.find((name) => event.type === `response.${name}`);
      if (outcome !== undefined && "response" in event) return { outcome, response: event.response, items };
    }
  } catch (error) {
    throw describe(error);
  }
  throw new RunnerError("model_unavailable", "the model's stream ended before its response did", {
    retryable: true,
  });
}

/**
 * The SDK's errors carry headers and bodies. What goes out keeps the status, the code, the request id and a few of the
 * provider's words; there is no cause.
 */
function describer({ request, key }: Question, nowMs: number): Describe {
  return (error) => {
    if (error instanceof RunnerError) return error;
    if (error instanceof APIConnectionError) return unreachable(error);
    if (error instanceof SyntaxError)
      return new RunnerError("model_contract", "the model's stream holds broken JSON");
    if (!(error instanceof APIError)) return unreachable(error);
    const names = troubleNames(error.error);
    return troubleError({
      ...names,
      message: names.message?.replaceAll(key.reveal(), "[redacted]"),
      status: error.status,
      requestId: error.requestID ?? undefined,
      retryAfterMs: readRetryAfterMs((name) => error.headers?.get(name), nowMs),
      isJson: error.error !== undefined,
      previousResponseId: request.previousResponseId,
    });
  };
}

/** A connection that could not be made, or broke in the stream. The innermost system code says why. */
function unreachable(error: unknown): RunnerError {
  let code: string | undefined;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string") code = cause.code;
  }
  const why = code === undefined ? "" : ` (${code})`;
  return new RunnerError("model_unavailable", `the connection to the model's provider failed${why}`, {
    retryable: true,
  });
}
