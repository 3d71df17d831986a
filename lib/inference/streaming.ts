import { idSchema } from "../bounded.ts";
import { RunnerError } from "../errors.ts";
import type { ExchangeDeps } from "./exchange.ts";
import { askingPolicy, conclude, defaultSilenceMs, exchange, repeated } from "./exchange.ts";
import type { Generation, ModelRequest, ModelTurn } from "./model.ts";
import type { TerminalEvent } from "./response-answer.ts";
import { outcomes, refuseWithoutPrevious } from "./response-answer.ts";
import type { ApiEvent } from "./responses-api.ts";

/**
 * One round over an open line, which the response does not outlive. 5 attempts on 408, 409, 429, 5xx, a web page, a
 * lost connection, silence and passing faults of the provider.
 */
export async function generateStreaming(
  deps: ExchangeDeps,
  request: ModelRequest,
  { signal, onStarted, mayAsk }: Generation,
): Promise<ModelTurn> {
  const { silenceMs = defaultSilenceMs } = deps;
  return await repeated(deps, { policy: askingPolicy, signal }, async () => {
    await mayAsk?.();
    return await exchange(deps, { signal, silenceMs }, async (api) =>
      conclude(deps, await readToEnd(deps, await api.stream(request), { request, onStarted })),
    );
  });
}

interface Reading extends Pick<Generation, "onStarted"> {
  readonly request: ModelRequest;
}

/** How long the stream may stay open behind the event that ends the response. */
export const lastWordsMs = 150;

/**
 * Reads until the response has ended in whatever way, and then to the stream's own end, which follows at once: only a
 * connection that has been read to its end can be used again by the next round.
 */
async function readToEnd(
  { clock }: ExchangeDeps,
  stream: AsyncIterable<ApiEvent>,
  reading: Reading,
): Promise<TerminalEvent> {
  const { promise, resolve, reject } = Promise.withResolvers<TerminalEvent>();
  const read = readAll(stream, reading, resolve).catch(reject);
  const end = await promise;
  const over = new AbortController();
  await Promise.race([read, clock.sleep(lastWordsMs, over.signal).catch(() => undefined)]);
  over.abort("over");
  return end;
}

/** Unknown events are ignored. */
async function readAll(
  stream: AsyncIterable<ApiEvent>,
  { request, onStarted }: Reading,
  onEnded: (end: TerminalEvent) => void,
): Promise<void> {
  const items: unknown[] = [];
  let isStarted = false;
  let isEnded = false;
  for await (const { type, item, response } of stream) {
    if (isEnded) continue;
    refuseWithoutPrevious(response, request.previousResponseId);
    const responseId = idIn(response);
    if (!isStarted && responseId !== undefined) {
      isStarted = true;
      await onStarted?.(responseId);
    }
    if (type === "response.output_item.done") items.push(item);
    const outcome = outcomes.find((name) => type === `response.${name}`);
    if (outcome === undefined || response === undefined) continue;
    isEnded = true;
    onEnded({ outcome, response, items });
  }
  if (isEnded) return;
  throw new RunnerError("model_unavailable", "the model's stream ended before its response did", {
    retryable: true,
  });
}

/** `response.created` has it first. */
function idIn(response: unknown): string | undefined {
  const id: unknown =
    typeof response === "object" && response !== null ? Reflect.get(response, "id") : undefined;
  return idSchema.safeParse(id).data;
}
