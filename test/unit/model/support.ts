import { systemClock } from "../../../lib/core/clock.ts";
import type { Clock } from "../../../lib/core/clock.ts";
import type { RunnerError } from "../../../lib/core/errors.ts";
import type { ModelRequest } from "../../../lib/model/model.ts";
import type { ModelNote } from "../../../lib/model/exchange.ts";
import type { OpenAiOptions } from "../../../lib/model/openai.ts";
import { createHttp } from "../../../lib/adapters/http.ts";
import { createModelClient, type KeySource } from "../../../lib/model/client.ts";
import { lastWordsMs } from "../../../lib/model/streaming.ts";
import { createOpenAiModel } from "../../../lib/model/openai.ts";
import { Secret } from "../../../lib/core/secret.ts";

export const key = "sk-test-4711abcdefgh";
export const freshKey = "sk-test-0815ijklmnop";
/** 2026-11-20T12:00:00Z */
export const nowMs = 1_795_176_000_000;

const neverSilentMs = 1_000_000;

/** A fixed time of day; back-offs are noted and over at once; waits for what a server sends are real. */
export function quickClock(waits: number[]): Clock {
  return {
    now: () => nowMs,
    sleep: async (ms, signal) => {
      if (ms === lastWordsMs) return await systemClock.sleep(ms, signal);
      waits.push(ms);
    },
  };
}

/** Its first key, and after that the other one. */
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

interface Overrides extends Partial<OpenAiOptions> {
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

/** What a promise is rejected with. */
export const thrownBy = async (promise: Promise<unknown>): Promise<RunnerError> =>
  await promise.then(
    () => expectRejection(),
    (error: RunnerError) => error,
  );

function expectRejection(): never {
  throw new Error("expected a rejection");
}
