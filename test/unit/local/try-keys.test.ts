import { createServer } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { listen, stop } from "../../../local/http.ts";
import { parseOptions } from "../../../local/options.ts";
import { tryKeys } from "../../../local/try-keys.ts";

const closings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

const errorOf = (code: string): string => JSON.stringify({ error: { code, message: "No.", type: "x" } });

/** A server that gives every request the same answer; returns its address and the bodies it was sent. */
async function serve(status: number, body: string, type = "application/json") {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      asked.push(JSON.parse(text));
      response.writeHead(status, { "content-type": type }).end(body);
    });
  });
  const port = await listen(server, 0);
  closings.push(() => stop(server));
  return { url: `http://127.0.0.1:${port}`, asked };
}

function tried(env: Readonly<Record<string, string>>): Promise<void> {
  const options = parseOptions([], env);
  if (options === "help") throw new Error("no help was asked for");
  return tryKeys(options, {
    fetch,
    clock: systemClock,
    random: () => 0,
    signal: new AbortController().signal,
    nameOf: (variable) => (variable === "OPENAI_API_KEY" ? `${variable} (from .env)` : variable),
  });
}

const real = (url: string, more: Readonly<Record<string, string>> = {}): Promise<void> =>
  tried({ OPENAI_API_KEY: "sk-test-key", OPENAI_BASE_URL: url, ...more });

describe("a key of a real model", () => {
  it("that the server accepts costs one request of at most 16 tokens per model", async () => {
    const { url, asked } = await serve(200, JSON.stringify({ id: "resp_1", output: [] }));
    await real(url, { OPENAI_MODEL: "large", OPENAI_SUMMARY_MODEL: "small" });
    expect(asked).toEqual([
      { model: "large", input: "Say yes.", max_output_tokens: 16, store: false },
      { model: "small", input: "Say yes.", max_output_tokens: 16, store: false },
    ]);
  });

  it.each([
    [
      "a refused key",
      [401, errorOf("invalid_api_key")],
      "OPENAI_API_KEY (from .env): the server at URL refuses it (HTTP 401, invalid_api_key). Set another key, or none for canned answers",
    ],
    [
      "an unknown model",
      [404, errorOf("model_not_found")],
      'OPENAI_MODEL: the server at URL has no model "gpt-6-luna" for this key (HTTP 404, model_not_found). Set OPENAI_MODEL to another',
    ],
    [
      "an address of something else",
      [200, "<html>Welcome</html>", "text/html"],
      "OPENAI_BASE_URL: the server at URL cannot be reached, takes longer than 60 s, or is not a Responses API.",
    ],
    [
      "a page that is not found",
      [404, "<html>Not found</html>", "text/html"],
      "OPENAI_BASE_URL: the server at URL is not a Responses API (HTTP 404)",
    ],
    [
      "no credit",
      [429, errorOf("insufficient_quota")],
      "OPENAI_API_KEY (from .env): the server at URL: the quota of the model's account is used up",
    ],
  ] as const)("and %s: the sentence names the variable and the address", async (_, answer, sentence) => {
    const [status, body, type] = answer;
    const { url } = await serve(status, body, type);
    const said = await real(url).catch((error: Error) => error.message.replace(url, "URL"));
    expect(said).toContain(sentence);
  });

  it("and a busy server: jobs will try again", async () => {
    const { url } = await serve(503, errorOf("server_is_overloaded"));
    await expect(real(url)).resolves.toBeUndefined();
  });

  it("and no server at all: the sentence names the address", async () => {
    const { url } = await serve(200, "{}");
    await closings.pop()?.();
    await expect(real(url)).rejects.toThrow(
      `OPENAI_BASE_URL: the server at ${url} cannot be reached, takes longer than 60 s, or is not a Responses API.`,
    );
  });
});

describe("a runner key of another Studio", () => {
  const at = (url: string): Promise<void> => tried({ RUNNER_TOKEN: "cred_1.secret", RUNNER_API_BASE: url });

  it("that Studio accepts is tried without leasing a job", async () => {
    const { url, asked } = await serve(404, JSON.stringify({ error: "not found" }));
    await at(url);
    expect(asked).toEqual([{ workspaceId: "studio-runner-key-check" }]);
  });

  it("that Studio refuses is named with its variable", async () => {
    const { url } = await serve(401, JSON.stringify({ error: "unauthorized" }));
    await expect(at(url)).rejects.toThrow(`RUNNER_TOKEN: Studio at ${url} refuses the key cred_1`);
  });
});
