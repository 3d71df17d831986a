import { InvocationType, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { RunnerError } from "./errors.ts";
import type { Invoker } from "./invoker.ts";

/** The SDK repeats throttles and network faults itself. An event that arrives twice is stopped by the ledger's fence. */
const clientDefaults = {
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 },
};

export function createLambdaClient(functionName: string): Invoker {
  const client = new LambdaClient(clientDefaults);
  return {
    invoke: async (event) => {
      const command = new InvokeCommand({
        FunctionName: functionName,
        InvocationType: InvocationType.Event,
        Payload: JSON.stringify(event),
      });
      try {
        await client.send(command);
      } catch (error) {
        if (!(error instanceof Error) || error instanceof TypeError) throw error;
        throw new RunnerError(
          "invoke_failed",
          `the processor could not be started: ${error.name}: ${error.message}`,
          {
            cause: error,
          },
        );
      }
    },
  };
}
