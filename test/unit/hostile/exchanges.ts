import { epochMs } from "../../../lib/core/bounded.ts";
import { systemClock } from "../../../lib/core/clock.ts";
import { Response } from "undici";
import { createHttp } from "../../../lib/adapters/http.ts";
import { createModelClient } from "../../../lib/model/client.ts";
import { createOpenAiModel } from "../../../lib/model/openai.ts";
import { failureError, failureNames, words } from "../../../lib/model/provider-errors.ts";
import { redactor, Secret } from "../../../lib/core/secret.ts";
import { parseRetryAfter } from "../../../lib/core/retry.ts";
import { clockSkewMs } from "../../../lib/studio/exchange.ts";
import { bodyWords, fold, pageWords } from "../../../lib/studio/words.ts";

const redact = redactor("wanted-key-0123456789");
const asBody = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** What reads the answers of Studio and of the model. They may refuse a text, with an error of the runner. */
export const exchanges: Readonly<Record<string, (text: string) => unknown>> = {
  "a body's words": (text) => bodyWords(text, redact),
  "a page's words": (text) => pageWords(text, redact),
  "folded text": (text) => fold(text, redact),
  "a Retry-After header": (text) => parseRetryAfter(text, 0),
  "a Date header": (text) => clockSkewMs({ sentAtMs: 0, receivedAtMs: 0, date: text }),
  "a time": (text) => epochMs(text),
  "the provider's words": (text) => words(text),
  "the provider's failure": (text) => failureError({ ...failureNames(asBody(text)), isJson: true }),
  "the model's refusal": (text) => ask(400, [text]),
  "the model's answer": (text) => ask(200, [text]),
  "the model's stream": (text) => ask(200, [text], "text/event-stream"),
  "the model's stream in small pieces": (text) =>
    ask(200, text.match(/[^]{1,100}/gu) ?? [], "text/event-stream"),
};

async function ask(status: number, chunks: readonly string[], type = "application/json"): Promise<unknown> {
  const headers = { "content-type": type };
  const body = (): ReadableStream => ReadableStream.from(chunks.map((chunk) => Buffer.from(chunk)));
  const http = { ...createHttp(), fetch: async () => new Response(body(), { status, headers }) };
  const key = async (): Promise<Secret> => new Secret("wanted-key-0123456789");
  const model = createOpenAiModel({
    client: createModelClient({ http, credential: { apiKey: { get: key, refresh: key } } }),
    clock: { now: systemClock.now, sleep: (ms, signal) => systemClock.sleep(ms > 30_000 ? ms : 0, signal) },
    random: () => 0,
  });
  const request = { model: "m", instructions: "", input: [], tools: [], store: true };
  return await model.generate(request, { signal: new AbortController().signal });
}
