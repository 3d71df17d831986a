import { describe, expect, it, onTestFinished } from "vitest";
import { createTable } from "../../../lib/adapters/dynamodb.ts";
import { createSecretsClient, createSecretSource } from "../../../lib/adapters/secrets-manager.ts";
import { anyone } from "../../support/aws.ts";
import { script, startHttpServer, type Answerer, type Reply } from "../../support/http-server.ts";

/** What holds for every AWS service that a job needs an answer from. */
const services = [
  {
    service: "DynamoDB",
    code: "run_store_unavailable",
    good: { body: { Item: { pool: { S: "p" }, id: { S: "x" } } } },
    ask: (url: string, signal?: AbortSignal) =>
      createTable("runs", anyone(url)).get({ pool: "p", id: "x" }, signal),
    answer: { pool: "p", id: "x" },
  },
  {
    service: "Secrets Manager",
    code: "secrets_unavailable",
    good: { body: { SecretString: "cred-1.abc" } },
    ask: (url: string, signal?: AbortSignal) =>
      createSecretSource(createSecretsClient(anyone(url))).read("studio/keys", signal),
    answer: "cred-1.abc",
  },
];

async function serve(answer: Answerer) {
  const server = await startHttpServer(answer);
  onTestFinished(() => server.close());
  return server;
}

describe.each(services)("$service", ({ code, good, ask, answer }) => {
  const refusal = (type: string, status = 400): Reply => ({ status, body: { __type: type, message: "no" } });

  it.each<{ readonly what: string; readonly reply: Reply }>([
    { what: "a proxy's page", reply: { status: 503, body: "<html>busy</html>" } },
    { what: "a page with 200", reply: { status: 200, body: "<html>s3cret</html>" } },
    { what: "an empty answer", reply: { status: 200, body: "" } },
    { what: "JSON that says nothing", reply: { status: 200, body: "null" } },
    { what: "JSON that breaks off", reply: { status: 200, body: '{"SecretString":"s3cret' } },
    { what: "a fault of the service", reply: refusal("InternalServerError", 500) },
    { what: "an answer that is no HTTP", reply: { raw: ({ socket }) => void socket?.end("hello\r\n\r\n") } },
    {
      what: "an answer cut in its middle",
      reply: {
        raw: (response) => {
          response.writeHead(200, { "content-length": "100" }).write('{"Item":');
          setTimeout(() => response.destroy(), 20);
        },
      },
    },
  ])("is asked again after $what", async ({ reply }) => {
    const server = await serve(script(reply, good));
    expect(await ask(server.baseUrl)).toEqual(answer);
    expect(server.requests).toHaveLength(2);
  });

  it.each<{ readonly what: string; readonly reply: Reply; readonly says: string }>([
    { what: "a proxy's page", reply: { status: 503, body: "<html>s3cret</html>" }, says: "HTTP 503" },
    { what: "a page with 200", reply: { status: 200, body: "<html>s3cret</html>" }, says: "HTTP 200" },
    { what: "JSON that breaks off", reply: { body: '{"SecretString":"s3cret' }, says: "HTTP 200" },
  ])("does not show what is in $what", async ({ reply, says }) => {
    const server = await serve(() => reply);
    const thrown: unknown = await ask(server.baseUrl).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code, retryable: true, message: expect.stringContaining(says) });
    for (let error = thrown; error instanceof Error; error = error.cause)
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain("s3cret");
  });

  it.each<{ readonly what: string; readonly reply: Reply }>([
    { what: "a missing right", reply: refusal("AccessDeniedException") },
    { what: "an expired sign-in", reply: refusal("ExpiredTokenException") },
    { what: "a page with 403", reply: { status: 403, body: "<html>no</html>" } },
    { what: "a redirect", reply: { status: 302, headers: { location: "http://127.0.0.1:9" }, body: "" } },
  ])("is not asked again after $what", async ({ reply }) => {
    const server = await serve(() => reply);
    await expect(ask(server.baseUrl)).rejects.toMatchObject({ code, retryable: false });
    expect(server.requests).toHaveLength(1);
  });

  it("is asked again when it names its throttle in a header", async () => {
    const headers = { "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/" };
    const server = await serve(script({ status: 400, headers, body: {} }, good));
    expect(await ask(server.baseUrl)).toEqual(answer);
  });

  it("is asked again when an answer falls silent in its middle", async () => {
    const silent: Reply = {
      raw: (response) => void response.writeHead(200, { "content-length": "100" }).write('{"Item":'),
    };
    const server = await serve(script(silent, good));
    expect(await ask(server.baseUrl)).toEqual(answer);
    expect(server.requests).toHaveLength(2);
  }, 10_000);
});

describe("a call of the run store", () => {
  const found: Reply = { body: { Item: { id: { S: "x" } } } };

  it("does not take an empty page for a row that is not there", async () => {
    const server = await serve(script({ status: 200, body: "" }, found));
    expect(await createTable("runs", anyone(server.baseUrl)).get({ pool: "p", id: "x" })).toEqual({
      id: "x",
    });
  });

  it("reads no more of an answer than fits into memory", async () => {
    const server = await serve(() => ({ body: `{"Item":{"a":{"S":"${"x".repeat(17 * 1024 * 1024)}"}}}` }));
    await expect(
      createTable("runs", { ...anyone(server.baseUrl), maxAttempts: 1 }).get({ pool: "p", id: "x" }),
    ).rejects.toMatchObject({ code: "run_store_unavailable", message: expect.stringContaining("HTTP 200") });
  });

  const condition = { text: "attribute_not_exists(#id)", values: {} };

  it("is not repeated when its condition does not hold", async () => {
    const body = {
      __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
      message: "no",
    };
    const server = await serve(() => ({ status: 400, body }));
    const table = createTable("runs", anyone(server.baseUrl));
    expect(await table.put({ pool: "p", id: "x" }, condition)).toBe(false);
    expect(await table.update({ pool: "p", id: "x" }, { set: { a: 1 }, condition })).toBeUndefined();
    expect(server.requests).toHaveLength(2);
  });

  it("survives that the connection it is sent over has died meanwhile", async () => {
    const server = await serve(script(found, { raw: ({ socket }) => void socket?.resetAndDestroy() }, found));
    const table = createTable("runs", anyone(server.baseUrl));
    expect(await table.get({ pool: "p", id: "x" })).toEqual({ id: "x" });
    expect(await table.get({ pool: "p", id: "x" })).toEqual({ id: "x" });
  });

  it("that nobody can send is a bug of ours, not an outage", async () => {
    const server = await serve(() => ({}));
    const table = createTable("runs", anyone(server.baseUrl));
    await expect(table.put({ pool: "p", id: "x", at: 2 ** 60 }, undefined)).rejects.toThrow(
      /MAX_SAFE_INTEGER/,
    );
    await expect(table.put({ pool: "p", id: "x", at: new Date(0) }, undefined)).rejects.toThrow(
      /Unsupported type/,
    );
    expect(server.requests).toHaveLength(0);
  });

  it("is an outage without credentials, which no repetition heals", async () => {
    const none = Object.assign(new Error("none"), { name: "CredentialsProviderError" });
    const account = { ...anyone("http://127.0.0.1:9"), credentials: () => Promise.reject(none) };
    await expect(createTable("runs", account).get({ pool: "p", id: "x" })).rejects.toMatchObject({
      code: "run_store_unavailable",
      retryable: false,
    });
  });
});
