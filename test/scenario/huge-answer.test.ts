import type { ServerResponse } from "node:http";
import { afterEach, expect, test } from "vitest";
import { startHttpServer, type HttpServer } from "../support/http-server.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

let scenario: Scenario | undefined;
let model: HttpServer | undefined;
afterEach(async () => {
  await scenario?.close();
  await model?.close();
});

/** 100 MB in one piece, which is more than a processor with 512 MB could parse. */
function hugeAnswer(response: ServerResponse): void {
  const chunk = Buffer.alloc(1_000_000, "x");
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"id":"resp_1","output":[],"pad":"');
  const more = (left: number): void => {
    if (left === 0) return void response.end('"}');
    if (!response.destroyed) response.write(chunk, () => more(left - 1));
  };
  more(100);
}

test("an answer of 100 MB from the model fails its job once, with the reason, and the processor survives", async () => {
  model = await startHttpServer(() => ({ raw: hugeAnswer }));
  scenario = await startScenario({ variables: { OPENAI_BASE_URL: `${model.baseUrl}/v1` } });
  const workspaceId = scenario.queue("Plan a launch.");
  await scenario.drain();
  expect(await scenario.ended(workspaceId)).toMatchObject({
    state: "failed",
    reason: "answer_too_long",
    attempt: 1,
  });
  expect(scenario.summary(workspaceId)).toMatchObject({
    state: "failed",
    failure: "The model's answer is too long: more than 8 MiB, or more than fits into memory.",
  });
  expect(model.requests.filter(({ path }) => path === "/v1/responses")).toHaveLength(1);
});
