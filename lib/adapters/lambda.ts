import * as z from "zod";
import { InvocationType, InvokeCommand, LambdaClient, type LambdaClientConfig } from "@aws-sdk/client-lambda";
import { systemClock, withTimeLimit, type Clock } from "../core/clock.ts";
import { RunnerError } from "../core/errors.ts";
import { timing } from "../core/timing.ts";
import { connections } from "./aws.ts";

/** What the dispatcher sends to the processor: one event per attempt. It names the run and holds nothing secret. */
export const attemptEventSchema = z.strictObject({
  pool: z.string().min(1),
  runId: z.string().min(1),
  attempt: z.number().int().positive(),
});

export type AttemptEvent = Readonly<z.output<typeof attemptEventSchema>>;

/** Starts an attempt: one asynchronous invocation of the processor. @throws RunnerError `invoke_failed` */
export interface Invoker {
  invoke(event: AttemptEvent): Promise<void>;
}

/**
 * The SDK retries throttles and network faults within `timing.invokeLimitMs`. The run store's fence stops an event that
 * arrives twice.
 */
const clientDefaults: LambdaClientConfig = {
  maxAttempts: 4,
  retryMode: "standard",
  requestHandler: connections({ connectMs: 1_500, silenceMs: 1_500 }),
};

export interface InvokerOptions extends LambdaClientConfig {
  /** Used for time limits. */
  readonly clock?: Clock;
}

/** Starts attempts with Lambda's Invoke. */
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
