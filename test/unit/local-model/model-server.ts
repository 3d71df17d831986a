import OpenAI from "openai";
import { onTestFinished } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { toolDefinitions } from "../../../lib/deliverables/registry.ts";
import type { ModelOptions, OfflineModel } from "../../../local/model/server.ts";
import { startModel } from "../../../local/model/server.ts";
import { eventually as seen } from "../../support/eventually.ts";

export const strictTools = toolDefinitions.map(({ name, description, parameters }) => ({
  type: "function" as const,
  name,
  description,
  parameters: { ...parameters },
  strict: true,
}));

/** A request that the model answers in two rounds of calls and a message. */
export const cello = { model: "gpt-6-luna", input: "Help me learn the cello.", tools: strictTools };

/** A running model that closes with the test, the SDK's client, and a plain HTTP caller. */
export async function runModel(options: Partial<ModelOptions> = {}) {
  const model = await startModel({ clock: systemClock, latencyMs: 0, ...options });
  onTestFinished(() => model.close());
  const client = new OpenAI({ apiKey: "sk-test", baseURL: model.url, maxRetries: 0 });
  return { model, client, call: caller(model) };
}

/** The fields of a Response and of an error; a test reads those that it expects. */
type AnsweredBody = OpenAI.Responses.Response & {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly code: string | null;
    readonly param: string | null;
  };
};

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text parsed as JSON, which throws if it is not JSON. */
  readonly body: AnsweredBody;
}

const caller =
  (model: OfflineModel) =>
  async (method: string, path: string, body?: unknown): Promise<Answered> => {
    const response = await fetch(`${model.url}${path}`, {
      method,
      headers: { authorization: "Bearer sk-test", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const { status, headers } = response;
    const text = await response.text();
    return {
      status,
      headers,
      text,
      get body() {
        return JSON.parse(text);
      },
    };
  };

export interface SeenEvent {
  readonly type: string;
  readonly sequence_number: number;
  readonly output_index: number;
  readonly item_id: string;
  readonly delta: string;
  readonly text: string;
  readonly arguments: string;
  readonly response: OpenAI.Responses.Response;
}

/** The events of a server-sent stream as text: `event:` and `data:` lines. */
export function parseEvents(text: string): readonly SeenEvent[] {
  return text
    .trim()
    .split("\n\n")
    .map((block) => {
      const [event, data] = block.split("\n");
      const parsed: SeenEvent = JSON.parse(data!.replace(/^data: /, ""));
      if (event !== `event: ${parsed.type}`) throw new Error(`event and data differ: ${block}`);
      return parsed;
    });
}

export const callsOf = ({ output }: OpenAI.Responses.Response) =>
  output.filter((item) => item.type === "function_call");

/** A runner's answers to the calls of a response. */
export const outputsFor = (response: OpenAI.Responses.Response) =>
  callsOf(response).map((item) => ({
    type: "function_call_output" as const,
    call_id: item.call_id,
    output: '{"ok":true}',
  }));

/** Waits for what another connection sees a moment later. */
export const eventually = <T>(read: () => T | undefined): Promise<T> =>
  seen("what another connection sees", read);
