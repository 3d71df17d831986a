import * as z from "zod";
import { idSchema } from "../core/bounded.ts";
import { RunnerError } from "../core/errors.ts";
import type { Provider } from "./exchange.ts";
import { askingPolicy, conclude, defaultSilenceMs, exchange, repeated } from "./exchange.ts";
import type { Generation, ModelRequest, ModelTurn } from "./model.ts";
import type { TerminalEvent } from "./response-answer.ts";
import { headOf, outcomes, refuseWithoutPrevious } from "./response-answer.ts";
import type { ApiEvent } from "./responses-api.ts";

/**
 * Runs one round over an open connection; the response ends with it. Up to 5 tries on 408, 409, 429, 5xx, an HTML page, a
 * lost connection, silence and temporary faults of the provider.
 */
export async function generateStreaming(
  provider: Provider,
  request: ModelRequest,
  { signal, onStarted, onToolCall, mayAsk }: Generation,
): Promise<ModelTurn> {
  const { silenceMs = defaultSilenceMs } = provider;
  const started = async (response: unknown): Promise<void> => {
    refuseWithoutPrevious(response, request.previousResponseId);
    await onStarted?.(headOf(response).responseId);
  };
  return await repeated(provider, { policy: askingPolicy, signal }, async () => {
    await mayAsk?.();
    return await exchange(provider, { signal, silenceMs }, async (api) =>
      conclude(
        provider,
        await readToEnd(provider, await api.stream(request), { items: [], started, onToolCall }),
        request.model,
      ),
    );
  });
}

/** What has been read of a response's events. */
export interface Seen {
  /** Called with the response's first event; awaited before the next event is read. */
  readonly started?: (response: unknown) => Promise<void>;
  readonly onToolCall?: Generation["onToolCall"];
  /** Complete items, for servers whose final response has an empty `output`. */
  readonly items: unknown[];
  /** The response as its first event shows it. */
  response?: unknown;
  /** Number of the last event, if events are numbered. */
  after?: number | undefined;
}

/** How long the stream may stay open after the event that ends the response. */
export const closeGraceMs = 150;

/**
 * Reads until the response ends, and then to the end of the stream, which follows at once: the next round can reuse a
 * connection only if it was read to its end.
 */
export async function readToEnd(
  { clock }: Provider,
  stream: AsyncIterable<ApiEvent>,
  seen: Seen,
): Promise<TerminalEvent> {
  const { promise, resolve, reject } = Promise.withResolvers<TerminalEvent>();
  const read = readAll(stream, seen, resolve).catch(reject);
  const end = await promise;
  const over = new AbortController();
  await Promise.race([read, clock.sleep(closeGraceMs, over.signal).catch(() => undefined)]);
  over.abort("over");
  return end;
}

/** Unknown events are ignored. */
async function readAll(
  stream: AsyncIterable<ApiEvent>,
  seen: Seen,
  onEnded: (end: TerminalEvent) => void,
): Promise<void> {
  // Without numbers, read all events again.
  if (seen.after === undefined) seen.items.length = 0;
  let isEnded = false;
  for await (const { type, item, response, sequence } of stream) {
    if (isEnded || isKnown(sequence, seen.after)) continue;
    if (seen.response === undefined && hasId(response)) {
      seen.response = response;
      await seen.started?.(response);
    }
    seen.after = sequence;
    const tool = type === "response.output_item.added" ? calledTool(item) : undefined;
    if (tool !== undefined) seen.onToolCall?.(tool);
    if (type === "response.output_item.done") seen.items.push(item);
    const outcome = outcomes.find((name) => type === `response.${name}`);
    if (outcome === undefined || response === undefined) continue;
    isEnded = true;
    onEnded({ outcome, response, items: seen.items });
  }
  if (isEnded) return;
  throw new RunnerError("model_unavailable", "the model's stream ended before its response did", {
    retryable: true,
  });
}

const isKnown = (sequence: number | undefined, after: number | undefined): boolean =>
  sequence !== undefined && after !== undefined && sequence <= after;

const toolCallSchema = z.object({ type: z.literal("function_call"), name: z.string() });

const calledTool = (item: unknown): string | undefined => toolCallSchema.safeParse(item).data?.name;

/** The id comes with `response.created`. */
const hasId = (response: unknown): boolean =>
  typeof response === "object" &&
  response !== null &&
  idSchema.safeParse(Reflect.get(response, "id")).success;
