import { setImmediate } from "node:timers/promises";
import { startHttpServer, type RecordedRequest, type Reply } from "../support/http-server.ts";
import { eventsOf, framesOf } from "./responses-events.ts";
import { bodyRefusal, conversationRefusal, itemsOf, refuse, type Refusal } from "./responses-rules.ts";
import { jobIn, nextOutput, type Item } from "./script.ts";

/** How this server differs from OpenAI's. */
export interface ResponsesTraits {
  /**
   * How `previous_response_id` is handled. `refused`: as for a zero-retention project. `ignored`: as by Ollama, with null
   * in the answer. `unsupported`: with the error of llama.cpp.
   */
  readonly chain?: "refused" | "ignored" | "unsupported";
  /** What `stream: true` is answered with. Default: server-sent events with plain newlines. */
  readonly framing?: "crlf" | "json";
  readonly usage?: "absent";
}

export interface IndependentResponses {
  /** For the client: `http://127.0.0.1:PORT/v1`. */
  readonly baseUrl: string;
  readonly requests: readonly RecordedRequest[];
  /** Every refused request, with the reason. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

interface Stored {
  readonly conversation: readonly Item[];
  response: Item;
  /** The next states of a background response, one per request for it. */
  readonly ahead: Item[];
}

interface Server {
  readonly key: string;
  readonly model: string;
  readonly traitsOf: (job: number) => ResponsesTraits;
  /** The job of each response, also of those that the server pretends not to know. */
  readonly jobs: Map<unknown, number>;
  readonly stored: Map<string, Stored>;
  readonly newId: (prefix: string) => string;
}

/**
 * A Responses server written from OpenAI's public API alone, without looking at local/model. `traits` are
 * assigned to the jobs in turn.
 */
export async function startIndependentResponses(
  { key, model }: { readonly key: string; readonly model: string },
  traits: readonly ResponsesTraits[] = [{}],
): Promise<IndependentResponses> {
  let made = 0;
  const server: Server = {
    key,
    model,
    traitsOf: (job) => traits[(job - 1) % traits.length] ?? {},
    jobs: new Map(),
    stored: new Map(),
    newId: (prefix) => `${prefix}_${(made += 1).toString(16).padStart(24, "0")}`,
  };
  const complaints: string[] = [];
  const http = await startHttpServer((request) => {
    const answer = serve(server, request);
    if (!("error" in answer)) return answer;
    complaints.push(`${request.method} ${request.path} ${answer.status} ${answer.error.message}`);
    return { status: answer.status, body: { error: answer.error } };
  });
  return { baseUrl: `${http.baseUrl}/v1`, requests: http.requests, complaints, close: http.close };
}

function serve(server: Server, request: RecordedRequest): Reply | Refusal {
  const { method, path, headers } = request;
  if (headers.authorization !== `Bearer ${server.key}`)
    return refuse(401, "Incorrect API key provided.", { code: "invalid_api_key" });
  if (method === "POST" && path === "/v1/responses") return create(server, request.json() as Item);
  const [, id = "", action = ""] = /^\/v1\/responses\/(resp_\w+)(\/cancel)?$/.exec(path) ?? [];
  const stored = server.stored.get(id);
  if (!stored) return refuse(404, `Response with id '${id}' not found.`);
  if (method === "POST" && action !== "") return cancel(stored);
  return method === "GET" && action === ""
    ? { body: retrieve(stored) }
    : refuse(405, `${method} is not for this`);
}

function create(server: Server, body: Item): Reply | Refusal {
  const wrong = bodyRefusal(body, server.model);
  if (wrong) return wrong;
  const input = itemsOf(body["input"]) ?? [];
  const job = server.jobs.get(body["previous_response_id"]) ?? jobIn(input) ?? 0;
  const traits = server.traitsOf(job);
  const before = earlier(server, body["previous_response_id"], traits);
  if ("error" in before) return before;
  const conversation = [...before.conversation, ...input];
  const disordered = traits.chain === "ignored" ? undefined : conversationRefusal(before.conversation, input);
  if (disordered) return disordered;

  const include = (body["include"] ?? []) as readonly string[];
  const seal = include.includes("reasoning.encrypted_content") ? { encrypted_content: "c2VhbGVk" } : {};
  const tools = (body["tools"] ?? []) as readonly Item[];
  const output = nextOutput({ conversation, tools, newId: server.newId }).map((item) =>
    item["type"] === "reasoning" ? { ...item, ...seal } : item,
  );
  const response = responseOf(body, { id: server.newId("resp"), output, traits });
  server.jobs.set(response["id"], job);
  const isKept = body["store"] !== false && traits.chain === undefined;
  const isBackground = isKept && body["background"] === true;
  if (isKept) {
    const kept = { conversation: [...conversation, ...output], response, ahead: [] };
    server.stored.set(String(response["id"]), isBackground ? begun(kept) : kept);
  }
  if (body["stream"] === true && traits.framing !== "json") return stream(response, output, traits);
  return { body: isBackground ? { ...response, status: "queued", output: [] } : response };
}

type Earlier = Refusal | { readonly conversation: readonly Item[] };

function earlier({ stored }: Server, id: unknown, { chain }: ResponsesTraits): Earlier {
  if (id === undefined || chain === "ignored") return { conversation: [] };
  if (chain === "unsupported") return refuse(400, "this server does not support 'previous_response_id'.");
  const found = typeof id === "string" ? stored.get(id) : undefined;
  if (found) return found;
  return refuse(400, `Previous response with id '${JSON.stringify(id)}' not found.`, {
    param: "previous_response_id",
    code: "previous_response_not_found",
  });
}

interface Answered {
  readonly id: string;
  readonly output: readonly Item[];
  readonly traits: ResponsesTraits;
}

function responseOf(body: Item, { id, output, traits }: Answered): Item {
  const usage = {
    input_tokens: 1_000,
    input_tokens_details: { cached_tokens: 200 },
    output_tokens: 300,
    output_tokens_details: { reasoning_tokens: 50 },
    total_tokens: 1_300,
  };
  return {
    id,
    object: "response",
    created_at: Math.floor(Date.now() / 1_000),
    status: "completed",
    background: body["background"] === true && traits.chain === undefined,
    error: null,
    incomplete_details: null,
    instructions: body["instructions"] ?? null,
    max_output_tokens: null,
    metadata: {},
    model: body["model"],
    output,
    parallel_tool_calls: true,
    previous_response_id: traits.chain === "ignored" ? null : (body["previous_response_id"] ?? null),
    store: body["store"] ?? true,
    temperature: 1,
    tool_choice: "auto",
    tools: body["tools"] ?? [],
    top_p: 1,
    truncation: "disabled",
    ...(traits.usage === "absent" ? {} : { usage }),
  };
}

function stream(response: Item, output: readonly Item[], traits: ResponsesTraits): Reply {
  const send = async (to: Parameters<Extract<Reply, { raw: unknown }>["raw"]>[0]): Promise<void> => {
    to.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "x-request-id": "req_independent",
    });
    for (const piece of framesOf(eventsOf(response, output), traits.framing === "crlf" ? "\r\n" : "\n")) {
      to.write(piece);
      await setImmediate();
    }
    to.end();
  };
  return { raw: (to) => void send(to) };
}

/** A background response: queued, then in progress, then completed, one step per request for it. */
function begun(kept: Stored): Stored {
  const empty = { ...kept.response, output: [], usage: null };
  return {
    ...kept,
    response: { ...empty, status: "queued" },
    ahead: [{ ...empty, status: "in_progress" }, kept.response],
  };
}

function retrieve(stored: Stored): Item {
  stored.response = stored.ahead.shift() ?? stored.response;
  return stored.response;
}

function cancel(stored: Stored): Reply | Refusal {
  if (stored.response["background"] !== true) return refuse(400, "Cannot cancel a synchronous response.");
  if (stored.response["status"] !== "completed") {
    stored.ahead.length = 0;
    stored.response = { ...stored.response, status: "cancelled" };
  }
  return { body: stored.response };
}
