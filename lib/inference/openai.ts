import { RunnerError } from "../errors.ts";
import { cancelResponse, followResponse, generateInBackground, retrieveResponse } from "./background.ts";
import { rememberKeys, type ExchangeDeps } from "./exchange.ts";
import type { Generation, GenerationMode, Model, ModelRequest, ModelTurn } from "./model.ts";
import { generateStreaming } from "./streaming.ts";

export interface OpenAiDeps extends ExchangeDeps {
  /** How responses that are stored are made; the others are always streamed. Default streaming. */
  readonly mode?: GenerationMode;
}

/** The Responses API as a model. One retry layer, ours: see streaming.ts and background.ts. */
export function createOpenAiModel(given: OpenAiDeps): Model {
  const deps = rememberKeys(given);
  let mode = deps.mode ?? "streaming";
  const streamFromNowOn = (): void => {
    if (mode === "streaming") return;
    mode = "streaming";
    deps.onEvent?.({ kind: "background_refused" });
  };

  const generate = async (request: ModelRequest, generation: Generation): Promise<ModelTurn> => {
    if (mode === "streaming" || !request.store) return await generateStreaming(deps, request, generation);
    const result = await generateInBackground(deps, request, generation);
    const isOurChoice = deps.mode === "auto";
    if ("turn" in result) {
      if (isOurChoice && !result.ranInBackground) streamFromNowOn();
      return result.turn;
    }
    if (!isOurChoice) throw result.refusal;
    streamFromNowOn();
    return await generateStreaming(deps, request, generation);
  };

  return {
    generate: async (request, { signal, onStarted }) => {
      signal.throwIfAborted();
      const note = guarded(onStarted);
      try {
        return await generate(request, { signal, onStarted: note.onStarted });
      } catch (error) {
        throw note.failure() ?? error;
      }
    },
    follow: (responseId, signal) => followResponse(deps, responseId, signal),
    retrieve: (responseId, signal) => retrieveResponse(deps, responseId, signal),
    cancel: (responseId, signal) => cancelResponse(deps, responseId, signal),
  };
}

/** What the caller's note throws must go out as it is: were it retryable, our retry layer would ask the model again. */
function guarded(onStarted: Generation["onStarted"]) {
  let failure: { readonly thrown: unknown } | undefined;
  return {
    failure: () => failure?.thrown,
    onStarted: async (responseId: string): Promise<void> => {
      try {
        await onStarted?.(responseId);
      } catch (thrown) {
        failure = { thrown };
        throw new RunnerError("internal", "the response could not be noted");
      }
    },
  };
}
