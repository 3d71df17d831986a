import type { ServerResponse } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { createTable } from "../../../lib/adapters/dynamodb.ts";
import { createLambdaInvoker } from "../../../lib/adapters/lambda.ts";
import { createSecretsClient, createSecretSource } from "../../../lib/adapters/secrets-manager.ts";
import { anyone } from "../../support/aws.ts";
import { script, startHttpServer, type Answerer, type Reply } from "../../support/http-server.ts";

/** The AWS services whose answers a job needs. */
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
  const throttled = { "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/" };

  const head = (response: ServerResponse) =>
    response.writeHead(200, { "content-length": "100" }).write('{"Item":');

  it.each<readonly [string, Reply]>([
    ["a proxy's page", { status: 503, body: "<html>busy</html>" }],
    ["a page with 200", { status: 200, body: "<html>s3cret</html>" }],
    ["an empty answer", { status: 200, body: "" }],
    ["a JSON null", { status: 200, body: "null" }],
    ["JSON that breaks off", { status: 200, body: '{"SecretString":"s3cret' }],
    ["a fault of the service", refusal("InternalServerError", 500)],
    ["a throttle that is named in a header", { status: 400, headers: throttled, body: {} }],
    ["an answer that is not HTTP", { raw: ({ socket }) => void socket?.end("hello\r\n\r\n") }],
    [
      "an answer that is cut",
      {
        raw: (response) => {
          head(response);
          setTimeout(() => response.destroy(), 20);
        },
      },
    ],
    ["an answer that falls silent", { raw: head }],
  ])(
    "is asked again after %s",
    async (_, reply) => {
      const server = await serve(script(reply, good));
      expect(await ask(server.baseUrl)).toEqual(answer);
      expect(server.requests).toHaveLength(2);
    },
    10_000,
  );

  it.each<readonly [string, Reply, string]>([
    ["a proxy's page", { status: 503, body: "<html>s3cret</html>" }, "HTTP 503"],
    ["a page with 200", { status: 200, body: "<html>s3cret</html>" }, "HTTP 200"],
    ["JSON that breaks off", { body: '{"SecretString":"s3cret' }, "HTTP 200"],
  ])("does not show the content of %s in its error", async (_, reply, says) => {
    const server = await serve(() => reply);
    const thrown: unknown = await ask(server.baseUrl).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code, retryable: true, message: expect.stringContaining(says) });
    for (let error = thrown; error instanceof Error; error = error.cause)
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain("s3cret");
  });

  it.each<readonly [string, Reply]>([
    ["a missing permission", refusal("AccessDeniedException")],
    ["expired credentials", refusal("ExpiredTokenException")],
    ["a page with 403", { status: 403, body: "<html>no</html>" }],
    ["a redirect", { status: 302, headers: { location: "http://127.0.0.1:9" }, body: "" }],
  ])("is not asked again after %s", async (_, reply) => {
    const server = await serve(() => reply);
    await expect(ask(server.baseUrl)).rejects.toMatchObject({ code, retryable: false });
    expect(server.requests).toHaveLength(1);
  });
});

describe("a run store call", () => {
  const found: Reply = { body: { Item: { id: { S: "x" } } } };

  it("does not mistake an empty page for a missing row", async () => {
    const server = await serve(script({ status: 200, body: "" }, found));
    expect(await createTable("runs", anyone(server.baseUrl)).get({ pool: "p", id: "x" })).toEqual({
      id: "x",
    });
  });

  it("fails on an answer that is too large for memory", async () => {
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

  it("succeeds when its connection has died since the previous call", async () => {
    const server = await serve(script(found, { raw: ({ socket }) => void socket?.resetAndDestroy() }, found));
    const table = createTable("runs", anyone(server.baseUrl));
    expect(await table.get({ pool: "p", id: "x" })).toEqual({ id: "x" });
    expect(await table.get({ pool: "p", id: "x" })).toEqual({ id: "x" });
  });

  it("throws on a value that cannot be stored, and sends nothing", async () => {
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

  it("fails without credentials, with an error that is not retryable", async () => {
    const none = Object.assign(new Error("none"), { name: "CredentialsProviderError" });
    const account = { ...anyone("http://127.0.0.1:9"), credentials: () => Promise.reject(none) };
    await expect(createTable("runs", account).get({ pool: "p", id: "x" })).rejects.toMatchObject({
      code: "run_store_unavailable",
      retryable: false,
    });
  });
});

it("calls to a run store or a Lambda service that never answers time out", async () => {
  const { baseUrl } = await serve(() => ({ raw: () => undefined }));
  const account = { ...anyone(baseUrl), maxAttempts: 1 };
  const [reading, invoking] = await Promise.allSettled([
    createTable("runs", anyone(baseUrl)).get({ pool: "p", id: "x" }),
    createLambdaInvoker("processor", account).invoke({ pool: "p", runId: "r", attempt: 1 }),
  ]);
  expect(reading).toMatchObject({ reason: { code: "run_store_unavailable", retryable: true } });
  expect(invoking).toMatchObject({ reason: { code: "invoke_failed" } });
});
