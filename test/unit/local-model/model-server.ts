import OpenAI from "openai";
import { onTestFinished } from "vitest";
import { systemClock } from "../../../lib/clock.ts";
import type { ModelOptions, OfflineModel } from "../../../local/model/server.ts";
import { startModel } from "../../../local/model/server.ts";

/** A running model that closes with the test, and two ways to talk to it. */
export async function runModel(options: Partial<ModelOptions> = {}) {
  const model = await startModel({ clock: systemClock, latencyMs: 0, ...options });
  onTestFinished(() => model.close());
  const client = new OpenAI({ apiKey: "sk-test", baseURL: model.url, maxRetries: 0 });
  return { model, client, call: caller(model) };
}

export interface Answered {
  readonly status: number;
  readonly body: any;
  readonly headers: Headers;
}

const caller =
  (model: OfflineModel) =>
  async (method: string, path: string, body?: unknown): Promise<Answered> => {
    const response = await fetch(`${model.url}${path}`, {
      method,
      headers: { authorization: "Bearer sk-test", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: readJson(text), headers: response.headers };
  };

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The events of a server-sent stream as text: `event:` and `data:` lines. */
export function parseEvents(text: string): any[] {
  return text
    .trim()
    .split("\n\n")
    .map((block) => {
      const [event, data] = block.split("\n");
      const parsed = JSON.parse(data!.replace(/^data: /, ""));
      if (event !== `event: ${parsed.type}`) throw new Error(`event and data differ: ${block}`);
      return parsed;
    });
}

/** Waits for what another connection sees a moment later. */
export async function eventually<T>(read: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const value = read();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("it did not happen within two seconds");
}
