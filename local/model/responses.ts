import type { Clock } from "../../lib/core/clock.ts";
import type { Script, Turn, TurnOutcome, TurnPart } from "./conversation.ts";
import { framesOf } from "./frames.ts";
import type { Generation } from "./generation.ts";
import { startGeneration } from "./generation.ts";
import type { ContextItem, InputItem } from "./input-items.ts";
import { checkToolOutputs, conversationItems } from "./input-items.ts";
import type { CreateRequest } from "./request.ts";
import { usageOf } from "./usage.ts";
import type { ItemStatus, OutputItem, ResponseBody } from "./wire.ts";
import { ApiError, newId } from "./wire.ts";

interface Writer {
  readonly clock: Clock;
  readonly script: Script;
  /** Of a turn that sets none. */
  readonly latencyMs: number;
}

export interface StoredResponse {
  readonly request: CreateRequest;
  readonly generation: Generation;
  /** Everything before the response: the chain's items and its own input. */
  readonly context: readonly ContextItem[];
  readonly expiresAtMs: number;
}

/** Creates and stores responses. */
export interface Responses {
  /** @throws ApiError 400, 404 for a request that does not fit the conversation */
  create(request: CreateRequest): StoredResponse;
  /** @throws ApiError 404 */
  find(id: string): StoredResponse;
  remove(id: string): void;
  cancelAll(): void;
}

/** How long an unstored background response can be fetched (https://developers.openai.com/api/docs/guides/background). */
const unstoredBackgroundMs = 600_000;

export function createResponses(clock: Clock, script: Script, latencyMs: number): Responses {
  const kept = new Map<string, StoredResponse>();
  const running = new Set<Generation>();

  const lookUp = (id: string): StoredResponse | undefined => {
    const found = kept.get(id);
    return found !== undefined && found.expiresAtMs > clock.now() ? found : undefined;
  };
  const find = (id: string): StoredResponse => {
    const found = lookUp(id);
    if (found === undefined) throw new ApiError(404, `Response with id '${id}' not found.`);
    return found;
  };
  const isStoredItem = (id: string): boolean =>
    [...kept.values()].some(({ request, generation }) => {
      return request.store && generation.body().output.some((item) => item.id === id);
    });

  return {
    create(request) {
      const context = [...chainContext(request.previousResponseId, lookUp), ...request.input];
      checkToolOutputs(context);
      checkReasoning(request.input, isStoredItem);
      const generation = generate({ clock, script, latencyMs }, request, context);
      const id = generation.body().id;
      running.add(generation);
      void generation.finished.then(() => running.delete(generation));
      const expiresAtMs = request.store ? Number.POSITIVE_INFINITY : clock.now() + unstoredBackgroundMs;
      const stored = { request, generation, context, expiresAtMs };
      if (request.store || request.background) kept.set(id, stored);
      return stored;
    },
    find,
    remove(id) {
      find(id).generation.cancel();
      kept.delete(id);
    },
    cancelAll: () => running.forEach((generation) => generation.cancel()),
  };
}

function chainContext(
  previousId: string | null,
  lookUp: (id: string) => StoredResponse | undefined,
): readonly ContextItem[] {
  if (previousId === null) return [];
  const previous = lookUp(previousId);
  if (previous === undefined || !previous.request.store) {
    const code = "previous_response_not_found";
    const param = "previous_response_id";
    throw new ApiError(400, `Previous response with id '${previousId}' not found.`, { code, param });
  }
  const { status, output } = previous.generation.body();
  if (status !== "completed" && status !== "incomplete") {
    const message = `Previous response with id '${previousId}' is ${status} and cannot be continued.`;
    throw new ApiError(400, message, { param: "previous_response_id" });
  }
  return [...previous.context, ...output];
}

/** A reasoning item must be stored here or contain its encrypted content. */
function checkReasoning(input: readonly InputItem[], isStoredItem: (id: string) => boolean): void {
  for (const item of input) {
    if (item.type !== "reasoning" || item.encrypted_content || isStoredItem(item.id)) continue;
    const advice = "Try again with `store` set to true, or remove this item from your input.";
    const message = `Item with id '${item.id}' not found. Items are not persisted when \`store\` is set to false. ${advice}`;
    throw new ApiError(404, message, { param: "input" });
  }
}

interface Ending {
  readonly itemStatus: ItemStatus;
  readonly fields: Pick<ResponseBody, "status" | "error" | "incomplete_details">;
}

const incomplete = (reason: "max_output_tokens" | "content_filter"): Ending => ({
  itemStatus: "incomplete",
  fields: { status: "incomplete", error: null, incomplete_details: { reason } },
});

const endings: Readonly<Record<TurnOutcome, Ending>> = {
  completed: {
    itemStatus: "completed",
    fields: { status: "completed", error: null, incomplete_details: null },
  },
  max_output_tokens: incomplete("max_output_tokens"),
  content_filter: incomplete("content_filter"),
  failed: {
    itemStatus: "incomplete",
    fields: {
      status: "failed",
      error: { code: "server_error", message: "The model failed to generate a response." },
      incomplete_details: null,
    },
  },
};

function generate(
  { clock, script, ...more }: Writer,
  request: CreateRequest,
  context: readonly ContextItem[],
): Generation {
  const turn = script({ tools: request.tools, items: conversationItems(context) });
  const latencyMs = turn.latencyMs ?? more.latencyMs;
  const createdMs = clock.now();
  const initial: ResponseBody = {
    ...request.echo,
    id: newId("resp"),
    object: "response",
    created_at: Math.floor(createdMs / 1000),
    completed_at: null,
    status: request.background ? "queued" : "in_progress",
    error: null,
    incomplete_details: null,
    model: request.model,
    output: [],
    previous_response_id: request.previousResponseId,
    background: request.background,
    store: request.store,
    usage: null,
  };
  const ending = endings[turn.outcome];
  const output = outputOf(turn, request);
  const final: ResponseBody = {
    ...initial,
    ...ending.fields,
    output,
    completed_at: turn.outcome === "completed" ? Math.floor((createdMs + latencyMs) / 1000) : null,
    usage: turn.outcome === "failed" ? null : usageOf(request, context, output),
  };
  return startGeneration(clock, initial, framesOf(initial, final, latencyMs));
}

function outputOf(turn: Turn, request: CreateRequest): readonly OutputItem[] {
  if (turn.outcome === "failed") return [];
  const status = endings[turn.outcome].itemStatus;
  const id = newId("rs");
  const encrypted = request.encryptedReasoning ? { encrypted_content: btoa(`offline ${id}`) } : {};
  return [
    { type: "reasoning", id, summary: [], ...encrypted },
    ...turn.parts.map((part) => outputItem(part, status)),
  ];
}

function outputItem(part: TurnPart, status: ItemStatus): OutputItem {
  if (part.type === "call") {
    const { name } = part;
    return {
      type: "function_call",
      id: newId("fc"),
      call_id: newId("call"),
      name,
      arguments: part.arguments,
      status,
    };
  }
  const content =
    part.type === "refusal"
      ? { type: "refusal" as const, refusal: part.refusal }
      : { type: "output_text" as const, text: part.text, annotations: [], logprobs: [] };
  return { type: "message", id: newId("msg"), role: "assistant", status, content: [content] };
}
