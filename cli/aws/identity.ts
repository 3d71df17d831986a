import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
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
