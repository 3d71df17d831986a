import { RunnerError } from "../core/errors.ts";
import { cancelResponse, followResponse, generateInBackground, retrieveResponse } from "./background.ts";
import type { Provider } from "./exchange.ts";
import type { Generation, Model, ModelRequest, ModelTurn } from "./model.ts";
import type { GenerationMode } from "../core/options.ts";
import type { BackgroundDelivery } from "./request-body.ts";
import { generateStreaming } from "./streaming.ts";

export interface OpenAiOptions extends Provider {
  /** How stored responses are requested; others are always streamed. Default: streaming. */
  readonly mode?: GenerationMode;
}

/** How stored responses are requested. It changes when the provider refuses it. */
export interface RequestMode {
  generation: GenerationMode;
  delivery: BackgroundDelivery;
}

export const firstRequestMode = (generation: GenerationMode = "streaming"): RequestMode => ({
  generation,
  delivery: "background_stream",
});

/**
 * The Responses API as a model. One retry layer, ours: see streaming.ts and background.ts. Models of one provider can share
 * a `mode`, so that each refusal is met only once.
 */
export function createOpenAiModel(
  provider: OpenAiOptions,
  mode: RequestMode = firstRequestMode(provider.mode),
): Model {
  const streamFromNowOn = (): void => {
    if (mode.generation === "streaming") return;
    mode.generation = "streaming";
    provider.onEvent?.({ kind: "background_refused" });
  };

  const generate = async (request: ModelRequest, generation: Generation): Promise<ModelTurn> => {
    if (mode.generation === "streaming" || !request.store)
      return await generateStreaming(provider, request, generation);
    const { delivery } = mode;
    const result = await generateInBackground(provider, request, { ...generation, delivery });
    const isOurChoice = provider.mode === "auto";
    if ("turn" in result) {
      if (isOurChoice && !result.ranInBackground) streamFromNowOn();
      return result.turn;
    }
    if (result.of === "stream") {
      mode.delivery = "background";
      provider.onEvent?.({ kind: "background_stream_refused" });
      return await generate(request, generation);
    }
    if (!isOurChoice) throw result.refusal;
    streamFromNowOn();
    return await generateStreaming(provider, request, generation);
  };

  return {
    generate: async (request, { signal, onStarted, onToolCall, mayAsk }) => {
      signal.throwIfAborted();
      const callers = guarded();
      try {
        return await generate(request, {
          signal,
          onToolCall,
          onStarted: (responseId) => callers.run(() => onStarted?.(responseId)),
          mayAsk: () => callers.run(() => mayAsk?.()),
        });
      } catch (error) {
        throw callers.failure() ?? error;
      }
    },
    follow: (responseId, signal) => followResponse(provider, responseId, signal),
    retrieve: (responseId, signal) => retrieveResponse(provider, responseId, signal),
    cancel: (responseId, signal) => cancelResponse(provider, responseId, signal),
  };
}

/** Errors of the caller's callbacks pass through unchanged: if they were retryable, our retry layer would ask the model again. */
function guarded() {
  let failure: { readonly thrown: unknown } | undefined;
  return {
    failure: () => failure?.thrown,
    run: async (work: () => Promise<void> | undefined): Promise<void> => {
      try {
        await work();
      } catch (thrown) {
        failure = { thrown };
        throw new RunnerError("internal", "the caller stopped the generation");
      }
    },
  };
}
