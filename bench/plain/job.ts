import OpenAI from "openai";
import sanitizeHtml from "sanitize-html";
import { z } from "zod";
import { toolDefinitions } from "../../lib/deliverables/registry.ts";
import { jobInstructions } from "../../lib/inference/instructions.ts";
import { requestBody } from "../../lib/inference/request-body.ts";
import { env, secret, studio } from "./parts.ts";

const contextSchema = z.object({ recentText: z.string() });

export interface Steps {
  readonly beforeRound?: () => Promise<unknown>;
  readonly onRound?: (responseId: string) => Promise<unknown>;
  readonly beforePost?: () => Promise<unknown>;
}

let client: OpenAI | undefined;

/** A job with one round of the model: context, round, beat, completion. */
export async function runOne(workspaceId: string, steps: Steps = {}): Promise<void> {
  const context = contextSchema.parse(await studio("/getWorkspaceRunnerContext", { workspaceId }));
  client ??= new OpenAI({
    apiKey: await secret(env.OPENAI_KEY_SECRET),
    baseURL: env.OPENAI_BASE_URL,
    maxRetries: 0,
  });
  await steps.beforeRound?.();
  const stream = await client.responses.create(question(context.recentText));
  let text = "";
  for await (const event of stream) {
    if (event.type === "response.created") await steps.onRound?.(event.response.id);
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  await studio("/heartbeatWorkspaceJob", { workspaceId });
  await steps.beforePost?.();
  await studio("/completeWorkspaceJob", {
    workspaceId,
    assistantMessage: text,
    files: [],
    charts: [],
    datasets: [],
    lists: [],
    checklists: [],
    svgs: text.includes("<svg") ? [{ id: "a", content: sanitizeHtml(text) }] : [],
  });
}

/** The very request that the runner sends, tools and instructions included. */
function question(text: string): OpenAI.Responses.ResponseCreateParamsStreaming {
  const tools = toolDefinitions();
  const body: unknown = requestBody(
    {
      model: env.OPENAI_MODEL,
      instructions: jobInstructions(tools),
      input: [{ type: "message", text }],
      tools,
      store: true,
    },
    "stream",
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK's types do not know our readonly ones
  return body as OpenAI.Responses.ResponseCreateParamsStreaming;
}
