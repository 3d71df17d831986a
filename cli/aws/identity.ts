import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { asSentence, printable } from "../../lib/core/text.ts";
import { CliError } from "../errors.ts";
import type { Identity } from "../ports.ts";
import type { AwsConfig } from "./config.ts";

export function createIdentity(config: AwsConfig): Identity {
  const client = new STSClient(config);
  return {
    caller: async () => {
      const { Arn = "", Account = "" } = await client.send(new GetCallerIdentityCommand({}));
      return { arn: Arn, account: Account };
    },
  };
}

/**
 * The region of the options, the environment or the profile, as the SDK finds it.
 * @throws CliError `usage` if there is none, or if it cannot be part of a host name
 */
export async function readRegion(config: AwsConfig): Promise<string> {
  try {
    return await new STSClient(config).config.region();
  } catch (cause) {
    const why = cause instanceof Error ? printable(cause.message) : "";
    const remedy =
      "Name one like eu-central-1 with --region, or set AWS_REGION. For the stack of npm start, add --local.";
    throw new CliError("usage", `There is no valid AWS region: ${asSentence(why)}`, { remedy, cause });
  }
}
