import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, it, onTestFinished } from "vitest";
import { accessOf } from "../../../lib/aws-access.ts";
import { AwsError, createAwsJson, isPassing, type AwsAccess } from "../../../lib/aws-json.ts";
import { createHttp } from "../../../lib/http.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { startHttpServer, type Reply } from "../../support/http-server.ts";

/** 2026-11-20T19:14:32.123Z */
const nowMs = 1_795_202_072_123;
const credentials = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "session+token==",
};
const service = { name: "dynamodb", target: "DynamoDB_20120810", version: "1.0" } as const;
const never = new AbortController().signal;

async function scene(reply: Reply, access: Partial<AwsAccess> = {}) {
  const server = await startHttpServer(() => reply);
  const http = createHttp();
  onTestFinished(async () => {
    await http.close();
    await server.close();
  });
  const call = createAwsJson(
    {
      clock: createFakeClock(nowMs),
      fetch: http.fetch,
      access: { url: server.baseUrl, region: "eu-central-1", credentials, ...access },
    },
    service,
  );
  return { call, server };
}

type Data = string | ArrayBuffer | ArrayBufferView;

const bytesOf = (data: Data): string | Uint8Array => {
  if (typeof data === "string") return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
};

/** Node's own hashes in the shape that AWS's signer takes. */
class Sha256 {
  readonly #hash;
  constructor(secret?: Data) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }
  update(data: Data): void {
    this.#hash.update(bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

describe("a call", () => {
  it("is a POST of JSON that names its action, and gives the answer", async () => {
    const { call, server } = await scene({ body: { Item: { id: { S: "x" } } } });
    expect(await call("GetItem", { Key: { id: { S: "x" } } }, never)).toEqual({ Item: { id: { S: "x" } } });
    const [request] = server.requests;
    expect(request).toMatchObject({
      method: "POST",
      path: "/",
      body: '{"Key":{"id":{"S":"x"}}}',
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-date": "20261120T191432Z",
        "x-amz-security-token": "session+token==",
        "x-amz-target": "DynamoDB_20120810.GetItem",
      },
    });
  });

  it("is signed as AWS's own signer signs it", async () => {
    const { call, server } = await scene({ body: {} });
    await call("GetItem", { name: "ключ" }, never);
    const { headers, body } = server.requests[0]!;
    const signer = new SignatureV4({
      service: "dynamodb",
      region: "eu-central-1",
      credentials,
      sha256: Sha256,
      applyChecksum: false,
    });
    const signedNames = /SignedHeaders=([^,]+)/.exec(headers.authorization!)![1]!.split(";");
    const signed = await signer.sign(
      {
        method: "POST",
        protocol: "http:",
        hostname: "127.0.0.1",
        path: "/",
        query: {},
        headers: Object.fromEntries(signedNames.map((name) => [name, String(headers[name])])),
        body,
      },
      { signingDate: new Date(nowMs) },
    );
    expect(signedNames).toEqual([
      "content-length",
      "content-type",
      "host",
      "x-amz-date",
      "x-amz-security-token",
      "x-amz-target",
    ]);
    expect(headers.authorization).toBe(signed.headers["authorization"]);
  });

  it.each([
    {
      what: "a refusal, by its name",
      reply: {
        status: 400,
        body: { __type: "com.amazonaws.dynamodb.v20120810#ThrottlingException", message: "slow" },
      },
      error: { name: "ThrottlingException", message: "slow", status: 400 },
    },
    {
      what: "a refusal that writes its message large",
      reply: { status: 400, body: { __type: "AccessDeniedException", Message: "no" } },
      error: { name: "AccessDeniedException", message: "no", status: 400 },
    },
    {
      what: "a proxy's page",
      reply: { status: 503, body: "<html>busy</html>" },
      error: { name: "HTTP 503", message: "no reason given", status: 503 },
    },
    {
      what: "JSON that says nothing",
      reply: { status: 500, body: null },
      error: { name: "HTTP 500", message: "no reason given", status: 500 },
    },
    {
      what: "a refusal that is named in a header",
      reply: {
        status: 400,
        headers: { "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/" },
        body: {},
      },
      error: { name: "ThrottlingException", status: 400 },
    },
    {
      what: "a page with 200, without a word of it",
      reply: { status: 200, body: "<html>s3cret</html>" },
      error: { name: "HTTP 200", message: "no reason given", status: 200 },
    },
    {
      what: "an empty answer",
      reply: { status: 200, body: "" },
      error: { name: "HTTP 200", status: 200 },
    },
  ])("throws $what", async ({ reply, error }) => {
    const { call } = await scene(reply);
    await expect(call("GetItem", {}, never)).rejects.toMatchObject(error);
  });
});

describe("another try can heal", () => {
  const broken = (code: string): Error =>
    new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });

  it.each([
    ["a throttle", new AwsError("ThrottlingException", "", { status: 400 })],
    ["DynamoDB's own throttle", new AwsError("ProvisionedThroughputExceededException", "", { status: 400 })],
    ["a throttle by another name", new AwsError("RequestThrottledException", "", { status: 400 })],
    ["429", new AwsError("Anything", "", { status: 429 })],
    ["a request that took too long", new AwsError("RequestTimeoutException", "", { status: 400 })],
    ["a fault of the service", new AwsError("InternalServerError", "", { status: 500 })],
    ["a page in the place of an answer", new AwsError("HTTP 200", "", { status: 200 })],
    ["a broken connection", broken("ECONNRESET")],
    ["an answer that is no HTTP", broken("HPE_INVALID_CONSTANT")],
    ["the SDK's time-out", Object.assign(new Error("slow"), { name: "TimeoutError" })],
  ])("%s", (_, error) => {
    expect(isPassing(error)).toBe(true);
  });

  it.each([
    ["a missing right", new AwsError("AccessDeniedException", "", { status: 400 })],
    ["an expired sign-in", new AwsError("ExpiredTokenException", "", { status: 400 })],
    ["a wrong signature", new AwsError("InvalidSignatureException", "", { status: 400 })],
    ["a redirect", new AwsError("HTTP 302", "", { status: 302 })],
    ["no credentials", Object.assign(new Error("none"), { name: "CredentialsProviderError" })],
    ["a bug", new TypeError("x is not a function")],
  ])("but not %s", (_, error) => {
    expect(isPassing(error)).toBe(false);
  });
});

describe("a function's access", () => {
  const env = { AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: "s" };

  it("is to the service in its region, with the keys that Lambda gives it", () => {
    expect(accessOf({ ...env, AWS_SESSION_TOKEN: "t" }, "dynamodb")).toEqual({
      url: "https://dynamodb.eu-central-1.amazonaws.com",
      region: "eu-central-1",
      credentials: { accessKeyId: "A", secretAccessKey: "s", sessionToken: "t" },
    });
  });

  it("is to China's own domain there", () => {
    expect(accessOf({ ...env, AWS_REGION: "cn-north-1" }, "secretsmanager").url).toBe(
      "https://secretsmanager.cn-north-1.amazonaws.com.cn",
    );
  });

  it("is to the address that the standard variables name, the service's own before the one for all", () => {
    const all = { ...env, AWS_ENDPOINT_URL: "http://localhost:1" };
    expect(accessOf(all, "dynamodb").url).toBe("http://localhost:1");
    const own = { ...all, AWS_ENDPOINT_URL_SECRETS_MANAGER: "http://localhost:2" };
    expect(accessOf(own, "secretsmanager").url).toBe("http://localhost:2");
    expect(accessOf(own, "dynamodb").url).toBe("http://localhost:1");
  });

  it("takes an empty variable for none", () => {
    expect(accessOf({ ...env, AWS_ENDPOINT_URL: "" }, "dynamodb").url).toBe(
      "https://dynamodb.eu-central-1.amazonaws.com",
    );
  });

  it.each(["localhost:8000", "http://localhost:8000/path", "ftp://localhost"])(
    "refuses the address %s",
    (url) => {
      expect(() => accessOf({ ...env, AWS_ENDPOINT_URL: url }, "dynamodb")).toThrow(
        `"${url}" is no address of an AWS service: http or https, without a path`,
      );
    },
  );

  it.each(Object.keys(env))("without %s is an error that says so", (name) => {
    expect(() => accessOf({ ...env, [name]: undefined }, "dynamodb")).toThrow(
      "AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set, as they are on Lambda",
    );
  });
});
