import { defaultModels } from "../../infra/dated-table.ts";
import type { Exchange } from "./exchange.ts";
import { readJson, sendEvents, sendJson } from "./exchange.ts";
import { isObject } from "./fit.ts";
import { parseCreate } from "./request.ts";
import type { Responses } from "./responses.ts";
import { ApiError } from "./wire.ts";

interface Route {
  /** The name in fault rules. */
  readonly name: string;
  readonly method: string;
  readonly pattern: RegExp;
  readonly handle: (exchange: Exchange, responses: Responses, id: string) => Promise<void> | void;
}

const models = [defaultModels.openai, "offline-canned"];

export const routes: readonly Route[] = [
  route("POST", "/v1/responses", create),
  route("GET", "/v1/responses/:id", retrieve),
  route("DELETE", "/v1/responses/:id", (exchange, responses, id) => {
    responses.remove(id);
    sendJson(exchange, 200, { id, object: "response", deleted: true });
  }),
  route("POST", "/v1/responses/:id/cancel", cancel),
  route("GET", "/v1/models", (exchange) => {
    sendJson(exchange, 200, { object: "list", data: models.map(modelOf) });
  }),
  route("GET", "/v1/models/:id", (exchange, _, id) => {
    if (models.includes(id)) return sendJson(exchange, 200, modelOf(id));
    throw new ApiError(404, `The model '${id}' does not exist or you do not have access to it.`, {
      code: "model_not_found",
    });
  }),
];

const modelOf = (id: string): object => ({
  id,
  object: "model",
  created: 0,
  owned_by: "offline",
  shutdown_date: null,
});

function route(method: string, path: string, handle: Route["handle"]): Route {
  const pattern = new RegExp(`^${path.replace(":id", "([^/]+)")}$`);
  return { name: `${method} ${path}`, method, pattern, handle };
}

async function create(exchange: Exchange, responses: Responses): Promise<void> {
  const body = await readJson(exchange);
  noteCreate(exchange, body);
  const request = parseCreate(body);
  const { generation } = responses.create(request);
  if (!request.background) exchange.gone.addEventListener("abort", () => generation.cancel(), { once: true });
  if (request.stream) return sendEvents(exchange, generation.events, -1);
  if (!request.background) await generation.finished;
  if (!exchange.gone.aborted) sendJson(exchange, 200, generation.body());
}

/** Records the request before any check, so that the journal also shows refused ones. */
function noteCreate(exchange: Exchange, body: unknown): void {
  if (!isObject(body)) throw new ApiError(400, "Invalid type for the request body: expected an object.");
  const input: readonly unknown[] = Array.isArray(body["input"]) ? body["input"] : [];
  exchange.note({
    model: text(body["model"]),
    previousResponseId: text(body["previous_response_id"]),
    inputKinds:
      typeof body["input"] === "string"
        ? ["message"]
        : input.map((item) => (isObject(item) ? (text(item["type"]) ?? "message") : "unknown")),
  });
}

const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

async function retrieve(exchange: Exchange, responses: Responses, id: string): Promise<void> {
  const stored = responses.find(id);
  const query = exchange.url.searchParams;
  if (query.get("stream") !== "true") return sendJson(exchange, 200, stored.generation.body());
  if (!stored.request.background || !stored.request.stream) {
    const needs = "it was not created with background=true and stream=true";
    throw new ApiError(400, `This response cannot be streamed because ${needs}.`, { param: "stream" });
  }
  const after = query.get("starting_after") ?? "-1";
  if (!/^-?\d+$/.test(after)) {
    throw new ApiError(400, "Invalid value for 'starting_after': expected an integer.", {
      param: "starting_after",
    });
  }
  await sendEvents(exchange, stored.generation.events, Number(after));
}

async function cancel(exchange: Exchange, responses: Responses, id: string): Promise<void> {
  const { request, generation } = responses.find(id);
  if (!request.background) throw new ApiError(400, "Cannot cancel a synchronous response.");
  generation.cancel();
  await generation.finished;
  sendJson(exchange, 200, generation.body());
}
