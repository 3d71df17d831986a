import OpenAI from "openai";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { bedrockProvider, type BedrockTarget } from "../../../lib/model/bedrock.ts";
import { newCredentials } from "../../../local/cloud/signature.ts";
import type { BedrockOptions } from "../../../local/model/bedrock.ts";
import { startModel } from "../../../local/model/server.ts";

/** Our own verifier (local/cloud/signature.ts) checks the signatures of OpenAI's package. */
async function fixture(options: Partial<BedrockOptions> = {}, target: Partial<BedrockTarget> = {}) {
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

describe("signed requests", () => {
  it("create, retrieve and cancel a background response at mantle", async () => {
    const { responses, model } = await fixture();
    const begun = await responses.create({ model, input: "Plan a café’s week", background: true });
    expect(begun.background).toBe(true);
    expect((await responses.retrieve(begun.id)).id).toBe(begun.id);
    expect((await responses.cancel(begun.id)).id).toBe(begun.id);
  });

  it("stream a response from runtime and continue from a stored one", async () => {
    const { responses, model } = await fixture({}, { endpoint: "runtime" });
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
    const { responses, model } = await fixture(
      { credentials: () => temporary },
      { credentials: () => temporary },
    );
    expect((await responses.create({ model, input: "Hello" })).status).toBe("completed");
  });

  it("ignore API keys in the environment", async () => {
    vi.stubEnv("AWS_BEARER_TOKEN_BEDROCK", "a-bearer-token");
    vi.stubEnv("OPENAI_API_KEY", "sk-test");
    const { responses, model } = await fixture();
    expect((await responses.create({ model, input: "Hello" })).status).toBe("completed");
  });
});

describe("the verifier", () => {
  it.each([
    [
      "another key",
      { credentials: () => ({ ...newCredentials(), accessKeyId: "LOCAL1" }) },
      "security token",
    ],
    ["another region", { region: "eu-west-1" }, "should be scoped to a valid region"],
    ["another service", { endpoint: "runtime" }, "should be scoped to correct service: 'bedrock-mantle'"],
  ] as const)("refuses a signature for %s, as Bedrock does", async (_, target, words) => {
    const { responses, model } = await fixture(
      { endpoint: "mantle", models: ["us.openai.gpt-6-luna"] },
      target,
    );
    await expect(responses.create({ model, input: "Hello" })).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining(words) as unknown,
    });
  });
});

describe("requests", () => {
  const addressFor = async (endpoint: BedrockTarget["endpoint"], model: string): Promise<string> => {
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = async (url) => {
      asked.push(new Request(url).url);
      return Response.json({ output: [] });
    };
    const target = { endpoint, model, region: "us-west-2", credentials: newCredentials, env: process.env };
    await new OpenAI({ provider: bedrockProvider(target), fetch }).responses.create({
      model,
      input: "Hello",
    });
    return asked.join();
  };

  it.each([
    ["mantle", "openai.gpt-6-luna", "", "bedrock-mantle.us-west-2.api.aws/openai/v1"],
    ["mantle", "openai.gpt-oss-120b", "", "bedrock-mantle.us-west-2.api.aws/v1"],
    ["runtime", "us.openai.m", "", "bedrock-runtime.us-west-2.amazonaws.com/openai/v1"],
    ["runtime", "us.openai.m", "FIPS", "bedrock-runtime-fips.us-west-2.amazonaws.com/openai/v1"],
    ["runtime", "us.openai.m", "DUALSTACK", "bedrock-runtime.us-west-2.api.aws/openai/v1"],
  ] as const)(
    "to %s for %s (variant %j) go to https://%s/responses",
    async (endpoint, model, variant, address) => {
      if (variant !== "") vi.stubEnv(`AWS_USE_${variant}_ENDPOINT`, "true");
      expect(await addressFor(endpoint, model)).toBe(`https://${address}/responses`);
    },
  );
});
