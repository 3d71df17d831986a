import type { Invoker } from "../invoker.ts";
import type { InvokerOptions } from "../lambda-client.ts";

/**
 * Starts legs through Lambda's Invoke. Its client is loaded with the first event: an idle window and a leg that ends by
 * itself have none.
 */
export function createLambdaInvoker(functionName: string, options?: InvokerOptions): Invoker {
  let client: Promise<Invoker> | undefined;
  const load = async (): Promise<Invoker> =>
    (await import("../lambda-client.ts")).createLambdaClient(functionName, options);
  return {
    invoke: async (event) => {
      client ??= load();
      await (await client).invoke(event);
    },
  };
}
