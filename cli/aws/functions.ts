import { GetAccountSettingsCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { Functions } from "../ports.ts";
import type { AwsConfig } from "./config.ts";

export function createFunctions(config: AwsConfig): Functions {
  const client = new LambdaClient(config);
  return {
    unreservedConcurrency: async () => {
      const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}));
      return AccountLimit?.UnreservedConcurrentExecutions ?? AccountLimit?.ConcurrentExecutions ?? 0;
    },
    send: async (FunctionName, event) => {
      const Payload = JSON.stringify(event);
      await client.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload }));
    },
  };
}
