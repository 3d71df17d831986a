import { afterEach, expect, it, vi } from "vitest";
import { createTable } from "../../../lib/adapters/dynamodb.ts";
import { createLambdaInvoker } from "../../../lib/adapters/lambda.ts";
import { createSecretsClient, createSecretSource } from "../../../lib/adapters/secrets-manager.ts";

afterEach(() => void vi.unstubAllEnvs());

/** The hosts that the runner's clients call, with these variables in addition to Lambda's. */
async function hostsWith(variables: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const lambdas = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "A", AWS_SECRET_ACCESS_KEY: "s" };
  const all = { ...lambdas, AWS_SESSION_TOKEN: "session+token==", ...variables };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  const hosts: string[] = [];
  const requestHandler = {
    handle: (request: { readonly hostname: string; readonly headers: Readonly<Record<string, string>> }) => {
      expect(request.headers["x-amz-security-token"]).toBe("session+token==");
      hosts.push(request.hostname);
      return Promise.reject(new TypeError("nothing is sent here"));
    },
  };
  const client = { requestHandler };
  await Promise.allSettled([createTable("runs", client).get({ pool: "p", id: "x" })]);
  await Promise.allSettled([createSecretSource(createSecretsClient(client)).read("keys")]);
  await Promise.allSettled([
    createLambdaInvoker("processor", client).invoke({ pool: "p", runId: "r", attempt: 1 }),
  ]);
  return hosts;
}

const named = {
  AWS_ENDPOINT_URL: "http://all.test",
  AWS_ENDPOINT_URL_SECRETS_MANAGER: "http://secrets.test",
};

it.each<readonly [string, Readonly<Record<string, string>>, string]>([
  [
    "the default endpoints",
    {},
    "dynamodb.us-east-1.amazonaws.com secretsmanager.us-east-1.amazonaws.com lambda.us-east-1.amazonaws.com",
  ],
  [
    "the endpoints of China in a Chinese region",
    { AWS_REGION: "cn-north-1" },
    "dynamodb.cn-north-1.amazonaws.com.cn secretsmanager.cn-north-1.amazonaws.com.cn lambda.cn-north-1.amazonaws.com.cn",
  ],
  [
    "FIPS endpoints with AWS_USE_FIPS_ENDPOINT",
    { AWS_USE_FIPS_ENDPOINT: "true" },
    "dynamodb-fips.us-east-1.amazonaws.com secretsmanager-fips.us-east-1.amazonaws.com lambda-fips.us-east-1.amazonaws.com",
  ],
  // Secrets Manager has no separate dual-stack name: its default endpoint supports IPv6.
  [
    "dual-stack endpoints with AWS_USE_DUALSTACK_ENDPOINT",
    { AWS_USE_DUALSTACK_ENDPOINT: "true" },
    "dynamodb.us-east-1.api.aws secretsmanager.us-east-1.amazonaws.com lambda.us-east-1.api.aws",
  ],
  ["the service's own AWS_ENDPOINT_URL, or the general one", named, "all.test secrets.test all.test"],
])("the AWS clients call %s", async (_, variables, hosts) => {
  expect((await hostsWith(variables)).join(" ")).toBe(hosts);
});
