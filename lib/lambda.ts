import type { Invoker } from "./invoker.ts";

/**
 * Starts the next leg through Lambda's Invoke. Its client is loaded with the first event: an idle window and a leg that
 * ends by itself have none.
 */
export function createLambdaInvoker(functionName: string): Invoker {
  let client: Promise<Invoker> | undefined;
  const load = async (): Promise<Invoker> =>
    (await import("./lambda-client.ts")).createLambdaClient(functionName);
  return {
    invoke: async (event) => {
      client ??= load();
      await (await client).invoke(event);
    },
  };
}
