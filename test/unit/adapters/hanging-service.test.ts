import { createServer } from "node:http";
import { expect, test } from "vitest";
import { createTable } from "../../../lib/adapters/dynamodb.ts";
import { createLambdaInvoker } from "../../../lib/adapters/lambda.ts";
import { anyone } from "../../support/aws.ts";

/** Takes every request and never answers. */
async function silentService(): Promise<{ readonly endpoint: string; close(): void }> {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { endpoint: `http://127.0.0.1:${address.port}`, close };
}

test("a service that takes a request and never answers is not waited for: neither the run store nor Lambda", async ({
  onTestFinished,
}) => {
  const { endpoint, close } = await silentService();
  onTestFinished(close);
  const config = { ...anyone(endpoint), maxAttempts: 1 };
  const read = createTable("runs", anyone(endpoint)).get({ pool: "p", id: "x" });
  const invoke = createLambdaInvoker("processor", config).invoke({ pool: "p", runId: "r", attempt: 1 });
  const [reading, invoking] = await Promise.allSettled([read, invoke]);
  expect(reading).toMatchObject({ reason: { code: "run_store_unavailable", retryable: true } });
  expect(invoking).toMatchObject({ reason: { code: "invoke_failed" } });
});
