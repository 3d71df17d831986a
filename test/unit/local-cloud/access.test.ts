import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rawRequest, type RawRequest } from "../../support/raw-request.ts";
import { startWatched, type Watched } from "./fixture.ts";

let watched: Watched;

const table = {
  Type: "AWS::DynamoDB::Table",
  Properties: {
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
  },
};

beforeAll(async () => {
  watched = await startWatched(
    {
      functions: { Worker: {} },
      resources: {
        Ledger: table,
        ModelKey: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "model/key" } },
      },
    },
    { secrets: { "*ModelKey*": "sk-model" } },
  );
});
afterAll(() => watched.close());

interface Call {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const json = (target: string, body: object): Call => ({
  path: "/",
  method: "POST",
  headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": target },
  body: JSON.stringify(body),
});
const form = (action: string, version: string): Call => ({
  path: "/",
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: `Action=${action}&Version=${version}`,
});
const invoke: Call = {
  path: "/2015-03-31/functions/Worker/invocations",
  method: "POST",
  headers: {},
  body: '{"do":"nothing"}',
};

/** One call of each service, as its SDK would make it. */
const calls: readonly (readonly [string, Call])[] = [
  ["Secrets Manager", json("secretsmanager.GetSecretValue", { SecretId: "model/key" })],
  ["DynamoDB", json("DynamoDB_20120810.ListTables", {})],
  ["SQS", json("AmazonSQS.ReceiveMessage", { QueueUrl: "x" })],
  ["CloudWatch", json("GraniteServiceVersion20100801.DescribeAlarms", {})],
  ["CloudWatch Logs", json("Logs_20140328.FilterLogEvents", { logGroupName: "x" })],
  ["Lambda", invoke],
  ["Scheduler", { path: "/schedules/Tick", method: "GET", headers: {}, body: "" }],
  ["CloudFormation", form("DescribeStacks", "2010-05-15")],
  ["STS", form("GetWebIdentityToken", "2011-06-15")],
  ["no service", { path: "/nothing", method: "GET", headers: {}, body: "" }],
];

const send = ({ path, ...rest }: Call, more: Readonly<Record<string, string>> = {}) => {
  const request: RawRequest = { ...rest, headers: { ...rest.headers, ...more } };
  return rawRequest(`${watched.cloud.endpointUrl}${path}`, request);
};

describe.each(calls)("%s", (_, call) => {
  it.fails("takes no request without a signature, nor one with another credential", async () => {
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
