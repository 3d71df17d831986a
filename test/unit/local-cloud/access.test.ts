import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { describe, expect, it } from "vitest";
import { checkSignature, newCredentials } from "../../../local/cloud/signature.ts";
import { rawRequest, type RawRequest } from "../../support/raw-request.ts";
import { table, useCloud } from "./fixture.ts";

const watched = useCloud(
  {
    functions: { Worker: {} },
    resources: {
      RunStore: table(),
      ModelKey: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "model/key" } },
    },
  },
  { secrets: { "*ModelKey*": "sk-model" } },
);

type Call = Required<RawRequest> & { readonly path: string };

const get = (path: string): Call => ({ path, method: "GET", headers: {}, body: "" });
const post = (headers: Call["headers"], body: string, path = "/"): Call => ({
  path,
  method: "POST",
  headers,
  body,
});
const json = (target: string, body: object) =>
  post({ "content-type": "application/x-amz-json-1.0", "x-amz-target": target }, JSON.stringify(body));
const query = (action: string, version: string) =>
  post({ "content-type": "application/x-www-form-urlencoded" }, `Action=${action}&Version=${version}`);

/** One call to each service, as its SDK would make it. */
const calls: readonly (readonly [string, Call])[] = [
  ["Secrets Manager", json("secretsmanager.GetSecretValue", { SecretId: "model/key" })],
  ["DynamoDB", json("DynamoDB_20120810.ListTables", {})],
  ["SQS", json("AmazonSQS.ReceiveMessage", { QueueUrl: "x" })],
  ["CloudWatch", json("GraniteServiceVersion20100801.DescribeAlarms", {})],
  ["CloudWatch Logs", json("Logs_20140328.FilterLogEvents", { logGroupName: "x" })],
  ["Lambda", post({}, '{"do":"nothing"}', "/2015-03-31/functions/Worker/invocations")],
  ["Scheduler", get("/schedules/Tick")],
  ["CloudFormation", query("DescribeStacks", "2010-05-15")],
  ["STS", query("GetWebIdentityToken", "2011-06-15")],
  ["an unknown path", get("/nothing")],
];

const send = ({ path, ...rest }: Call, more: Readonly<Record<string, string>> = {}) => {
  const request: RawRequest = { ...rest, headers: { ...rest.headers, ...more } };
  return rawRequest(`${watched.cloud.endpointUrl}${path}`, request);
};

describe.each(calls)("%s", (_, call) => {
  it("rejects a request without a signature, and one with another credential", async () => {
    const unsigned = await send(call);
    expect(unsigned.body).toContain("MissingAuthenticationToken");
    const authorization =
      "AWS4-HMAC-SHA256 Credential=local/20261120/us-east-1/any/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
      "0".repeat(64);
    const foreign = await send(call, { authorization, "x-amz-date": "20261120T191432Z" });
    expect(foreign.body).toMatch(/UnrecognizedClientException|InvalidClientTokenId/);
    for (const { status } of [unsigned, foreign]) expect([400, 403]).toContain(status);
  });
});

it.each(calls)("%s cannot be called at the public address of the key set", async (_, call) => {
  for (const method of ["GET", "POST"]) {
    const headers = { ...call.headers, "content-length": String(call.body.length), authorization: "AWS4-" };
    const { body } = await send({ ...call, path: "/.well-known/jwks.json", method, headers });
    expect(body).toMatch(method === "GET" ? /^\{"keys":\[\]\}$/ : /IncompleteSignature/);
  }
});

const target = () => {
  const { endpointUrl: endpoint, region, credentials } = watched.cloud;
  return { endpoint, region, credentials, maxAttempts: 1 };
};
const readSecret = new GetSecretValueCommand({ SecretId: "model/key" });

it("the local cloud rejects a wrong secret access key with the errors of AWS", async () => {
  const credentials = { ...watched.cloud.credentials, secretAccessKey: "guessed" };
  const refused = new SecretsManagerClient({ ...target(), credentials }).send(readSecret);
  await expect(refused).rejects.toMatchObject({ name: "InvalidSignatureException" });
  const asked = new STSClient({ ...target(), credentials }).send(new GetCallerIdentityCommand());
  await expect(asked).rejects.toMatchObject({ name: "SignatureDoesNotMatch" });
});

it("credentials are random and differ each time", () => {
  const made = [newCredentials(), newCredentials()];
  expect(new Set(made.map(({ secretAccessKey }) => secretAccessKey)).size).toBe(2);
  expect(watched.cloud.credentials.secretAccessKey).toMatch(/^[\w-]{40}$/);
});

describe("a signature", () => {
  /** The credentials of the test suite that AWS publishes for Signature Version 4. */
  const credentials = {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  };
  const signedAtMs = Date.UTC(2015, 7, 30, 12, 36);
  const authorization = (signedHeaders: string, signature: string): string =>
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  const requestOf = (names: string, signature: string, more: object = {}) => ({
    method: "GET",
    target: "/",
    body: "",
    ...more,
    headers: {
      host: "example.amazonaws.com",
      "x-amz-date": "20150830T123600Z",
      ...(names.startsWith("content-type") ? { "content-type": "application/x-www-form-urlencoded" } : {}),
      authorization: authorization(names, signature),
    },
  });
  const vanilla = requestOf(
    "host;x-amz-date",
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  );
  const withQuery = requestOf(
    "host;x-amz-date",
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    { target: "/?Param2=value2&Param1=value1" },
  );
  const form = requestOf(
    "content-type;host;x-amz-date",
    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    { method: "POST", body: "Param1=value1" },
  );
  const check = { credentials, nowMs: signedAtMs, isQuery: false };
  const checked = async (...given: Parameters<typeof checkSignature>) => checkSignature(...given);

  it.each([
    ["get-vanilla", vanilla],
    ["get-vanilla-query-order-key-case", withQuery],
    ["post-x-www-form-urlencoded", form],
  ])("is accepted in AWS's own example %s", async (_, request) => {
    await expect(checked(request, check)).resolves.toBeUndefined();
  });

  it("is valid for 15 minutes before and after its time", async () => {
    for (const offMs of [-900_000, 900_000]) {
      const at = (ms: number) => checked(form, { ...check, nowMs: signedAtMs + ms });
      await expect(at(offMs)).resolves.toBeUndefined();
      await expect(at(offMs + Math.sign(offMs))).rejects.toMatchObject({
        type: "InvalidSignatureException",
        statusCode: 403,
      });
    }
  });

  const changed = (headers: Readonly<Record<string, string>>) => ({
    ...form,
    headers: { ...form.headers, ...headers },
  });
  const own = form.headers.authorization;

  it.each([
    ["method", { ...form, method: "PUT" }],
    ["path", { ...form, target: "/secrets" }],
    ["query", { ...form, target: "/?Param1=value1" }],
    ["query's value", { ...withQuery, target: "/?Param2=value2&Param1=value3" }],
    ["body", { ...form, body: "Param1=value2" }],
    ["host", changed({ host: "127.0.0.1" })],
    ["content type", changed({ "content-type": "text/plain" })],
    ["date", changed({ "x-amz-date": "20150830T123601Z" })],
    ["day", changed({ authorization: own.replace("20150830", "20150831") })],
    ["region", changed({ authorization: own.replace("us-east-1", "us-east-2") })],
    ["last digit", changed({ authorization: own.replace(/a$/, "b") })],
    ["action, which is not a signed header", changed({ "x-amz-target": "secretsmanager.GetSecretValue" })],
    ["hash of the body", changed({ "x-amz-content-sha256": "UNSIGNED-PAYLOAD" })],
    [
      "list of signed headers",
      changed({ authorization: own.replace("content-type;host;x-amz-date", "content-type;x-amz-date") }),
    ],
    [
      "list of signed headers, one of which is missing",
      changed({ authorization: own.replace("x-amz-date", "x-amz-date;zero") }),
    ],
  ])("is rejected with another %s", async (_, request) => {
    await expect(checked(request, check)).rejects.toMatchObject({ type: "InvalidSignatureException" });
  });

  it("is valid only for its own service and region", async () => {
    const scope = { region: "us-east-1", service: "service" };
    await expect(checked(form, { ...check, scope })).resolves.toBeUndefined();
    const other = (more: object) => checked(form, { ...check, scope: { ...scope, ...more } });
    await expect(other({ region: "us-west-2" })).rejects.toThrow(
      "Credential should be scoped to a valid region: 'us-west-2'.",
    );
    await expect(other({ service: "bedrock" })).rejects.toThrow(
      "Credential should be scoped to correct service: 'bedrock'.",
    );
  });

  it.each([
    [undefined, "MissingAuthenticationTokenException", "MissingAuthenticationToken"],
    ["Bearer sk-1", "IncompleteSignatureException", "IncompleteSignature"],
    ["AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE", "IncompleteSignatureException", "IncompleteSignature"],
    [own.replace("AKIDEXAMPLE", "AKIDOTHER"), "UnrecognizedClientException", "InvalidClientTokenId"],
    [own.replace(/a$/, "b"), "InvalidSignatureException", "SignatureDoesNotMatch"],
  ])("in the header %s is rejected with %s, and by query APIs with %s", async (header, type, queryType) => {
    const { authorization: _, ...headers } = form.headers;
    const request = {
      ...form,
      headers: header === undefined ? headers : { ...headers, authorization: header },
    };
    await expect(checked(request, check)).rejects.toMatchObject({ type, statusCode: 403 });
    await expect(checked(request, { ...check, isQuery: true })).rejects.toMatchObject({
      type: queryType,
    });
    const toJson = { ...request, headers: { ...request.headers, "x-amz-target": "x.y" } };
    await expect(checked(toJson, check)).rejects.toMatchObject({ statusCode: 400 });
  });
});
