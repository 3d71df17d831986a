import { expect, it, onTestFinished } from "vitest";
import { createTable } from "../../../lib/adapters/dynamodb.ts";
import { createLambdaInvoker } from "../../../lib/adapters/lambda.ts";
import { anyone } from "../../support/aws.ts";
import { eventuallyTrue } from "../../support/eventually.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { startHttpServer } from "../../support/http-server.ts";

/** Takes every request and never answers. */
async function silence() {
  const server = await startHttpServer(() => ({ raw: () => undefined }));
  onTestFinished(() => server.close());
  const clock = createFakeClock();
  return { server, clock, options: { clock, ...anyone(server.baseUrl) } };
}

it("a run store call without an answer fails after 4 s, retries included", async () => {
  const { server, clock, options } = await silence();
  const table = createTable("runs", options);
  let ended = false;
  const writing = table.update({ pool: "p", id: "x" }, { set: { a: 1 } });
  writing.catch(() => (ended = true));
  await server.received(1);
  await clock.advance(3_999);
  expect(ended).toBe(false);
  await clock.advance(1);
  await eventuallyTrue("the end of the call", () => ended, 500);
  await expect(writing).rejects.toMatchObject({
    code: "run_store_unavailable",
    retryable: true,
    message: "the run store did not answer: the call took longer than 4000 ms",
  });
  expect(clock.sleeping()).toBe(0);
});

it("a caller's signal ends a run store call sooner, with its own reason", async () => {
  const { server, options } = await silence();
  const caller = new AbortController();
  const reading = createTable("runs", options).get({ pool: "p", id: "x" }, caller.signal);
  await server.received(1);
  caller.abort(new Error("enough"));
  await expect(reading).rejects.toThrow("enough");
});

it("an invocation without an answer from Lambda fails after 4 s", async () => {
  const { server, clock, options } = await silence();
  const sending = createLambdaInvoker("processor", options).invoke({ pool: "p", runId: "r", attempt: 1 });
  let ended = false;
  sending.catch(() => (ended = true));
  await server.received(1);
  await clock.advance(4_000);
  await eventuallyTrue("the end of the call", () => ended, 500);
  await expect(sending).rejects.toMatchObject({ code: "invoke_failed" });
});
