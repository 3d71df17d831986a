import OpenAI from "openai";
import sanitizeHtml from "sanitize-html";
import { z } from "zod";
import { toolDefinitions } from "../../lib/deliverables/registry.ts";
import { jobInstructions } from "../../lib/agent/instructions.ts";
import { requestBody } from "../../lib/model/request-body.ts";
import { acceptedAnswerSchema, contextSchema, heartbeatAnswerSchema } from "../../lib/studio/schemas.ts";
import { count, env, log, secret, studio } from "./parts.ts";

const completedSchema = z.object({
  id: z.string(),
  status: z.literal("completed"),
  usage: z.object({ input_tokens: z.number(), output_tokens: z.number() }),
});

export interface Steps {
  readonly beforeRound?: () => Promise<unknown>;
  readonly onRound?: (responseId: string) => Promise<unknown>;
  readonly beforePost?: () => Promise<unknown>;
}

let client: OpenAI | undefined;

/** Reads the context, runs rounds until the model calls no tool, sends a heartbeat, and completes the job. */
export async function runOne(workspaceId: string, steps: Steps = {}): Promise<void> {
  const startedAtMs = Date.now();
  const context = await studio("/getWorkspaceRunnerContext", { workspaceId }, contextSchema);
  log("prior_context", { workspaceId, what: "none" });
  count("TimeInQueueSeconds");
  client ??= new OpenAI({
    apiKey: await secret(env.OPENAI_KEY_SECRET),
    baseURL: env.OPENAI_BASE_URL,
    maxRetries: 0,
  });
  await steps.beforeRound?.();
  let text = "";
  let usage = { input_tokens: 0, output_tokens: 0 };
  let request: Request | undefined = question(context.recentText);
  while (request !== undefined) {
    const calls: string[] = [];
    let responseId = "";
    for await (const event of await client.responses.create(request)) {
      if (event.type === "response.created") await steps.onRound?.(event.response.id);
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.type === "response.output_item.done" && event.item.type === "function_call")
        calls.push(event.item.call_id);
      if (event.type === "response.completed")
        ({ id: responseId, usage } = completedSchema.parse(event.response));
    }
    count("InferenceSeconds", (Date.now() - startedAtMs) / 1000);
    log("round_ended", { workspaceId, ...usage });
    request = calls.length > 0 ? outputs(request, { responseId, calls }) : undefined;
  }
  await studio("/heartbeatWorkspaceJob", { workspaceId }, heartbeatAnswerSchema);
  count("Heartbeats");
  await steps.beforePost?.();
  await studio("/completeWorkspaceJob", completion(workspaceId, text), acceptedAnswerSchema);
  log("run_ended", { workspaceId, state: "completed", elapsedMs: Date.now() - startedAtMs, ...usage });
  for (const name of ["RunsCompleted", "RunSeconds", "CostUsd", ...tokenKinds]) count(name);
}

const tokenKinds = ["input", "cached_input", "output", "reasoning"].map((kind) => `Tokens ${kind}`);

const completion = (workspaceId: string, text: string) => ({
  workspaceId,
  assistantMessage: text,
  files: [],
  charts: [],
  datasets: [],
  lists: [],
  checklists: [],
  svgs: text.includes("<svg") ? [{ id: "a", content: sanitizeHtml(text) }] : [],
});

type Request = OpenAI.Responses.ResponseCreateParamsStreaming;

const outputs = (
  request: Request,
  { responseId, calls }: { readonly responseId: string; readonly calls: readonly string[] },
): Request => ({
  ...request,
  previous_response_id: responseId,
  input: calls.map((call_id) => ({ type: "function_call_output", call_id, output: "ok" })),
});

/** The same request that the runner sends, including tools and instructions. */
function question(text: string): Request {
  const body: unknown = requestBody(
    {
      model: env.OPENAI_MODEL,
      instructions: jobInstructions({ tools: toolDefinitions }),
      input: [{ type: "message", text }],
      tools: toolDefinitions,
      store: true,
    },
    "stream",
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK's types do not know our readonly ones
  return body as Request;
}
