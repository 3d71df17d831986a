import { InvocationType, InvokeCommand, LambdaClient, type LambdaClientConfig } from "@aws-sdk/client-lambda";
import { systemClock, withTimeLimit, type Clock } from "../core/clock.ts";
import { RunnerError } from "../core/errors.ts";
import type { Invoker } from "../core/invoker.ts";
import { timing } from "../core/timing.ts";
import { connections } from "./aws.ts";

/**
 * The SDK repeats throttles and network faults itself, until `timing.invokeLimitMs` is over. An event that arrives twice
 * is stopped by the run store's fence.
 */
const clientDefaults: LambdaClientConfig = {
  maxAttempts: 4,
  retryMode: "standard",
  requestHandler: connections({ connectMs: 1_500, silenceMs: 1_500 }),
};

export interface InvokerOptions extends LambdaClientConfig {
  /** Times the calls. */
  readonly clock?: Clock;
}

/** Starts attempts through Lambda's Invoke. */
export function createLambdaInvoker(
  functionName: string,
  { clock = systemClock, ...config }: InvokerOptions = {},
): Invoker {
  const client = new LambdaClient({ ...clientDefaults, ...config });
  return {
    invoke: async (event) => {
      const command = new InvokeCommand({
        FunctionName: functionName,
        InvocationType: InvocationType.Event,
        Payload: JSON.stringify(event),
      });
      try {
        const limit = { clock, limitMs: timing.invokeLimitMs, what: "the call" };
        await withTimeLimit(limit, (abortSignal) => client.send(command, { abortSignal }));
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
