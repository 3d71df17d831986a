import { parentPort } from "node:worker_threads";
import { epochMs } from "../../lib/core/bounded.ts";
import { systemClock } from "../../lib/core/clock.ts";
import { RunnerError } from "../../lib/core/errors.ts";
import { Response } from "undici";
import { createHttp } from "../../lib/adapters/http.ts";
import { createModelClient } from "../../lib/model/client.ts";
import { createOpenAiModel } from "../../lib/model/openai.ts";
import { failureError, failureNames, words } from "../../lib/model/provider-errors.ts";
import { redactor } from "../../lib/core/redact.ts";
import { parseRetryAfter } from "../../lib/core/retry.ts";
import { Secret } from "../../lib/core/secret.ts";
import { clockSkewMs } from "../../lib/studio/skew.ts";
import { bodyWords, fold, pageWords } from "../../lib/studio/words.ts";

/**
 * Runs as a worker: feeds every function that reads untrusted text with 1 MB of each kind, and reports each
 * before it starts.
 */

const size = 1_000_000;
const much = (text: string): string => text.repeat(Math.ceil(size / text.length));

const texts: Readonly<Record<string, string>> = {
  "unclosed titles": `<html>${much("<title")}`,
  "titles that are closed late": `<html>${much("<title ")}>${much("a")}`,
  "unclosed tags": `<!doctype html>${much("<p on=")}`,
  "opening brackets": much("<"),
  spaces: `${much(" ")}x`,
  "spaces of several kinds": `<html><title>${much(" \t\r\n")}`,
  "one word": much("a"),
  "one capitalized word": `A${much("a")} GMT`,
  "a date with many ends": `Mon, ${much(" GMT")}x`,
  digits: `${much("1")}x`,
  "digits and dots": much("1."),
  stars: much("*"),
  "words and stars": much("a**"),
  "beginnings of keys": much("sk-"),
  "beginnings of our key": much("wanted-key-"),
  "half characters": much("\uD83D"),
  "a deep list": `${"[".repeat(size / 2)}${"]".repeat(size / 2)}`,
  "a deep error": `{"error":${"[".repeat(size / 2)}${"]".repeat(size / 2)}}`,
  "a deep message": `{"message":${'{"message":'.repeat(size / 20)}1${"}".repeat(size / 20)}}`,
  "empty lines": much("\n"),
  "empty lines of both kinds": much("\r\n\n"),
  "empty events": much("data:\n\n"),
  "lines of one event": much("data: a\n"),
  "one line of data": `data: ${much("a")}`,
};

const redact = redactor("wanted-key-0123456789");
const asBody = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

type Feed = (text: string) => unknown;

const functions: Readonly<Record<string, Feed>> = {
  bodyWords: (text) => bodyWords(text, redact),
  pageWords: (text) => pageWords(text, redact),
  fold: (text) => fold(text, redact),
  parseRetryAfter: (text) => parseRetryAfter(text, 0),
  clockSkewMs: (text) => clockSkewMs({ sentAtMs: 0, receivedAtMs: 0, date: text }),
  epochMs: (text) => epochMs(text),
  words: (text) => words(text),
  failureError: (text) => failureError({ ...failureNames(asBody(text)), isJson: true }),
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

/** The error if a feed throws anything other than the runner's own errors. */
async function breakage(feed: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await feed();
    return undefined;
  } catch (error) {
    const isOurs = error instanceof RunnerError && error.code !== "internal";
    return isOurs ? undefined : String(error).slice(0, 200);
  }
}

const tell = (told: object): void => parentPort?.postMessage(told, []);

for (const [name, feed] of Object.entries(functions)) {
  for (const [kind, text] of Object.entries(texts)) {
    tell({ name: `${name}: ${kind}` });
    const broke = await breakage(async () => await feed(text));
    if (broke !== undefined) tell({ name: `${name}: ${kind}`, broke });
  }
}
tell({ done: true });
