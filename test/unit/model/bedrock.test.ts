import OpenAI, { APIError } from "openai";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { bedrockProvider, type BedrockTarget } from "../../../lib/model/bedrock.ts";
import { newCredentials } from "../../../local/cloud/signature.ts";
import type { BedrockOptions } from "../../../local/model/bedrock.ts";
import { startModel } from "../../../local/model/server.ts";

/** What is signed by openai's package is checked by a verifier of our own (local/cloud/signature.ts). */
async function scene(options: Partial<BedrockOptions> = {}, target: Partial<BedrockTarget> = {}) {
  const credentials = newCredentials();
  const endpoint = target.endpoint ?? "mantle";
  const model = endpoint === "mantle" ? "openai.gpt-6-luna" : "us.openai.gpt-6-luna";
  const server = await startModel({
    clock: systemClock,
    latencyMs: 0,
    bedrock: { endpoint, region: "us-west-2", credentials: () => credentials, models: [model], ...options },
  });
  onTestFinished(() => server.close());
  vi.stubEnv("AWS_BEDROCK_BASE_URL", server.url.replace("/v1", "/openai/v1"));
  const provider = bedrockProvider({
    endpoint,
    region: "us-west-2",
    model,
    credentials: () => credentials,
    env: process.env,
    ...target,
  });
  const { responses } = new OpenAI({ provider, maxRetries: 0 });
  return { server, responses, model };
}

afterEach(() => void vi.unstubAllEnvs());

const refusalOf = async (work: PromiseLike<unknown>): Promise<APIError> => {
  const thrown: unknown = await Promise.resolve(work).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof APIError) return thrown;
  throw new Error("nothing was refused", { cause: thrown });
};

describe("signed requests", () => {
  it("begin, look at and cancel a response in the background at mantle", async () => {
    const { responses, model } = await scene();
    const begun = await responses.create({ model, input: "Plan a café’s week", background: true });
    expect(begun.background).toBe(true);
    expect((await responses.retrieve(begun.id)).id).toBe(begun.id);
    expect((await responses.cancel(begun.id)).id).toBe(begun.id);
  });

  it("stream a response from runtime, and go on from what is stored there", async () => {
    const { responses, model } = await scene({}, { endpoint: "runtime" });
    const types: string[] = [];
    for await (const event of await responses.create({ model, input: "Hello", stream: true }))
      types.push(event.type);
    expect(types.at(-1)).toBe("response.completed");
    const first = await responses.create({ model, input: "Hello" });
    const second = await responses.create({ model, input: "Again", previous_response_id: first.id });
    expect(second.previous_response_id).toBe(first.id);
    expect((await responses.retrieve(second.id)).status).toBe("completed");
  });

  it("are signed with the session token of a function's credentials", async () => {
    const temporary = { ...newCredentials(), sessionToken: "a-session" };
    const { responses, model } = await scene(
      { credentials: () => temporary },
      { credentials: () => temporary },
    );
    expect((await responses.create({ model, input: "Hello" })).status).toBe("completed");
  });

  it("hold no key, whatever the environment has", async () => {
    vi.stubEnv("AWS_BEARER_TOKEN_BEDROCK", "a-bearer-token");
    vi.stubEnv("OPENAI_API_KEY", "sk-test");
    const { responses, model } = await scene();
    expect((await responses.create({ model, input: "Hello" })).status).toBe("completed");
  });
});

describe("is refused as Bedrock does", () => {
  it.each([
    [
      "another secret",
      { credentials: () => ({ ...newCredentials(), accessKeyId: "LOCAL1" }) },
      "security token",
    ],
    ["another region", { region: "eu-west-1" }, "should be scoped to a valid region"],
    [
      "another service",
      { endpoint: "runtime" as const },
      "should be scoped to correct service: 'bedrock-mantle'",
    ],
  ])("%s", async (_, target, words) => {
    const { responses, model } = await scene(
      { endpoint: "mantle", models: ["us.openai.gpt-6-luna"] },
      target,
    );
    const refused = await refusalOf(responses.create({ model, input: "Hello" }));
    expect(refused.status).toBe(403);
    expect(refused.message).toContain(words);
  });

  it("a request without a signature", async () => {
    const { server } = await scene();
    const answer = await fetch(`${server.url}/responses`, { method: "POST", body: "{}" });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: "MissingAuthenticationTokenException" } });
  });

  it("the background at runtime", async () => {
    const { responses, model } = await scene({}, { endpoint: "runtime" });
    const refused = await refusalOf(responses.create({ model, input: "Hello", background: true }));
    expect([refused.status, refused.message]).toEqual([400, "400 The background parameter is not supported"]);
  });

  it.each(["mantle", "runtime"] as const)("a model that the account may not use, at %s", async (endpoint) => {
    const { responses, model } = await scene({ granted: [] }, { endpoint });
    const refused = await refusalOf(responses.create({ model, input: "Hello" }));
    expect(refused.status).toBe(403);
    expect(refused.message).toContain("You don't have access to the model with the specified model ID.");
  });
});

describe("the address", () => {
  const addressFor = async (endpoint: BedrockTarget["endpoint"], model: string): Promise<string> => {
    const asked: string[] = [];
    const provider = bedrockProvider({
      endpoint,
      region: "us-west-2",
      model,
      credentials: newCredentials,
      env: process.env,
    });
    const fetch: typeof globalThis.fetch = async (url) => {
      asked.push(new Request(url).url);
      return Response.json({ output: [] });
    };
    await new OpenAI({ provider, fetch }).responses.create({ model, input: "Hello" });
    return asked.join();
  };

  it.each([
    ["mantle", "openai.gpt-6-luna", {}, "https://bedrock-mantle.us-west-2.api.aws/openai/v1/responses"],
    ["mantle", "openai.gpt-oss-120b", {}, "https://bedrock-mantle.us-west-2.api.aws/v1/responses"],
    [
      "runtime",
      "us.openai.gpt-6-luna",
      {},
      "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1/responses",
    ],
    [
      "runtime",
      "us.openai.gpt-6-luna",
      { AWS_USE_FIPS_ENDPOINT: "true" },
      "https://bedrock-runtime-fips.us-west-2.amazonaws.com/openai/v1/responses",
    ],
    [
      "runtime",
      "us.openai.gpt-6-luna",
      { AWS_USE_DUALSTACK_ENDPOINT: "true" },
      "https://bedrock-runtime.us-west-2.api.aws/openai/v1/responses",
    ],
  ] as const)("of %s, for %s with %j", async (endpoint, model, variables, address) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    expect(await addressFor(endpoint, model)).toBe(address);
  });
});
