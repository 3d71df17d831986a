import type { AwsAccess } from "./aws-json.ts";
import type { Environment } from "./config.ts";
import { RunnerError } from "./errors.ts";

export type AwsServiceName = "dynamodb" | "secretsmanager";

const endpointNames: Readonly<Record<AwsServiceName, string>> = {
  dynamodb: "DYNAMODB",
  secretsmanager: "SECRETS_MANAGER",
};

/**
 * A function's own access to a service, by the variables that Lambda gives it, and the endpoint variables that all AWS
 * SDKs know (`AWS_ENDPOINT_URL_DYNAMODB`, `AWS_ENDPOINT_URL`).
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 * @throws RunnerError `config_invalid`
 */
export function accessOf(env: Environment, service: AwsServiceName): AwsAccess {
  const region = env["AWS_REGION"];
  const accessKeyId = env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"];
  const sessionToken = env["AWS_SESSION_TOKEN"];
  if (!region || !accessKeyId || !secretAccessKey)
    throw new RunnerError(
      "config_invalid",
      "AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set, as they are on Lambda",
    );
  const named = env[`AWS_ENDPOINT_URL_${endpointNames[service]}`] || env["AWS_ENDPOINT_URL"];
  return {
    url: addressOf(named || `https://${service}.${region}.${domainOf(region)}`),
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
  };
}

const domainOf = (region: string): string =>
  region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";

function addressOf(text: string): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "") return url.origin;
  throw new RunnerError(
    "config_invalid",
    `"${text}" is no address of an AWS service: http or https, without a path`,
  );
}
