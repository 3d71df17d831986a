import { APIConnectionError, APIError } from "openai/error";
import { fitsMemory, longestAnswerBytes, partsIn } from "../bounded.ts";
import { RunnerError } from "../errors.ts";
import { brokenExchange, readText, userAgent, type Fetch, type HttpAnswer } from "../http.ts";
import type { Secret } from "../secret.ts";
import type { Line } from "./silence.ts";

export interface ModelWire {
  /** With or without a trailing slash. */
  readonly baseUrl: string;
  readonly fetch: Fetch;
  readonly key: Secret;
  readonly line: Line;
}

export interface ModelCall {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: object;
}

/** A 2xx. */
export type ModelAnswer = Pick<HttpAnswer, "status" | "headers"> & {
  readonly body: AsyncIterable<Uint8Array>;
};

/**
 * One request and the head of its answer. The SDK's client does the same, with 400 kB of other APIs, and loads Node's
 * `fetch` for its headers: a third of a cold start (docs/decisions/0013). Its errors stay.
 * @throws APIError for any other answer than a 2xx; APIConnectionError for a broken exchange; what a wrong call throws
 */
export async function callModel(wire: ModelWire, call: ModelCall): Promise<ModelAnswer> {
  const { line } = wire;
  const answer = await wire
    .fetch(`${wire.baseUrl.replace(/\/$/, "")}${call.path}`, {
      method: call.method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${wire.key.reveal()}`,
        "content-type": "application/json",
        "user-agent": userAgent,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      redirect: "manual", // the key goes nowhere else
      signal: line.signal,
    })
    .catch((error: unknown) => {
      throw asConnectionError(error);
    });
  line.heard();
  const { status, headers } = answer;
  const body = listening(answer.body ?? noBytes(), line);
  if (!answer.ok) throw await refusal({ status, headers, body });
  return { status, headers, body };
}

/** @throws APIConnectionError when it breaks in the middle; RunnerError `answer_too_long`; SyntaxError */
export async function readJson(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const { text, truncated } = await readText(body, longestAnswerBytes);
  if (truncated) throw answerTooLong(longestAnswerBytes);
  return parseModestJson(text);
}

export function parseModestJson(text: string): unknown {
  if (!fitsMemory(text.length, partsIn(text))) throw answerTooLong(longestAnswerBytes);
  return JSON.parse(text);
}

export const answerTooLong = (longestBytes: number): RunnerError =>
  new RunnerError(
    "answer_too_long",
    `the model's answer is too long: more than ${longestBytes / (1024 * 1024)} MiB, or more than fits into memory`,
  );

/** Bytes, not events, prove that a line lives: some servers send nothing but comments while the model thinks. */
async function* listening(
  body: AsyncIterable<Uint8Array>,
  { heard }: Line,
): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const chunk of body) {
      heard();
      yield chunk;
    }
  } catch (error) {
    throw asConnectionError(error);
  }
}

async function* noBytes(): AsyncGenerator<Uint8Array, void> {}

function asConnectionError(error: unknown): unknown {
  const cause = brokenExchange(error);
  return cause === undefined ? error : new APIConnectionError({ cause });
}

const longestRefusalBytes = 64 * 1024;

/** A body that cannot be read leaves the status, which says what matters. */
async function refusal({ status, headers, body }: ModelAnswer): Promise<APIError> {
  const { text } = await readText(body, longestRefusalBytes).catch(() => ({ text: "" }));
  const json = errorIn(text);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it asks them for one header
  return APIError.generate(status, json, json === undefined ? text : undefined, headers as Headers);
}

/** OpenAI wraps its error in `{ error }`; others send it bare. What the SDK could not write as text again is none. */
function errorIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    JSON.stringify(value);
    return "error" in value && value.error !== null ? value : { error: value };
  } catch {
    return undefined;
  }
}
