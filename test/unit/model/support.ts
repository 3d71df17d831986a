import { onTestFinished } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import type { Clock } from "../../../lib/core/clock.ts";
import type { RunnerError } from "../../../lib/core/errors.ts";
import type { Generation, ModelRequest } from "../../../lib/model/model.ts";
import type { ModelNote } from "../../../lib/model/exchange.ts";
import type { OpenAiOptions } from "../../../lib/model/openai.ts";
import { createHttp } from "../../../lib/adapters/http.ts";
import { createModelClient, type KeySource } from "../../../lib/model/client.ts";
import { closeGraceMs } from "../../../lib/model/streaming.ts";
import { createOpenAiModel } from "../../../lib/model/openai.ts";
import { Secret } from "../../../lib/core/secret.ts";
import { script, startHttpServer, type Reply } from "../../support/http-server.ts";

export const key = "sk-test-4711abcdefgh";
export const freshKey = "sk-test-0815ijklmnop";
/** 2026-11-20T12:00:00Z */
export const nowMs = 1_795_176_000_000;

const neverSilentMs = 1_000_000;

/** A clock with a fixed time. Back-offs are recorded and end at once; waits for a server's data are real. */
export function quickClock(waits: number[]): Clock {
  return {
    now: () => nowMs,
    sleep: async (ms, signal) => {
      if (ms === closeGraceMs) return await systemClock.sleep(ms, signal);
      waits.push(ms);
    },
  };
}

/** Gives `key`, and `freshKey` after a refresh. */
function twoKeys(): KeySource {
  let present = key;
  const get = async (): Promise<Secret> => new Secret(present);
  return {
    get,
    refresh: () => {
      present = freshKey;
      return get();
    },
  };
}

export interface Overrides extends Partial<OpenAiOptions> {
  readonly apiKey?: KeySource;
}

export function adapter(baseUrl: string, { apiKey = twoKeys(), ...overrides }: Overrides = {}) {
  const waits: number[] = [];
  const notes: ModelNote[] = [];
  const model = createOpenAiModel({
    client: createModelClient({ http: createHttp(), credential: { apiKey }, baseUrl }),
    clock: quickClock(waits),
    random: () => 0,
    silenceMs: neverSilentMs,
    answerMs: neverSilentMs,
    onEvent: (note) => notes.push(note),
    ...overrides,
  });
  return { model, waits, notes };
}

export const request: ModelRequest = {
  model: "gpt-6-luna",
  instructions: "Help.",
  input: [{ type: "message", text: "Compare two teas." }],
  tools: [],
  store: true,
};

export const never = new AbortController().signal;

/** The error that a promise rejects with. */
export const thrownBy = async (promise: Promise<unknown>): Promise<RunnerError> =>
  await promise.then(
    () => expectRejection(),
    (error: RunnerError) => error,
  );

function expectRejection(): never {
  throw new Error("expected a rejection");
}

/** A client and a server that gives these replies, one per request. The server closes when the test ends. */
export async function fixture(replies: readonly Reply[], overrides: Overrides = {}) {
  const server = await startHttpServer(script(...replies));
  onTestFinished(() => server.close());
  const client = adapter(`${server.baseUrl}/v1`, overrides);
  const ask = (changes: Partial<ModelRequest> = {}, generation: Partial<Generation> = {}) =>
    client.model.generate({ ...request, ...changes }, { signal: never, ...generation });
  return {
    ...client,
    server,
    ask,
    /** The error that `ask` rejects with. */
    failure: (...args: Parameters<typeof ask>) => thrownBy(ask(...args)),
    calls: () => server.requests.map(({ method, path }) => `${method} ${path}`),
    /** The bodies of the requests to create a response. */
    asked: () =>
      server.requests.flatMap(({ method, path, body }): readonly Record<string, unknown>[] =>
        `${method} ${path}` === create ? [JSON.parse(body)] : [],
      ),
  };
}

/** Requests about a round, as `calls` lists them. */
export const create = "POST /v1/responses";
export const look = "GET /v1/responses/resp_1";
export const cancel = "POST /v1/responses/resp_1/cancel";
