import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { FaultRule } from "../../local/model/faults.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

let scenario: Scenario;
beforeAll(async () => {
  scenario = await startScenario({ turnMs: 20 });
});
afterEach(() => scenario.model.faults.clear());
afterAll(() => scenario.close());

/** A fault for the next `times` requests that ask the model for something. */
const hit = (times: number, fault: FaultRule["fault"]): void =>
  scenario.model.faults.add({ route: "POST /v1/responses", times, fault });

const generations = (): number => scenario.model.requests().length;

interface Ran {
  readonly workspaceId: string;
  /** Requests to the model. */
  readonly asked: number;
  readonly tookMs: number;
}

/** A job of two tool rounds and a message, which are three requests when all goes well. */
async function runJob(): Promise<Ran> {
  const before = generations();
  const startedMs = Date.now();
  const workspaceId = scenario.queue("Plan a launch. [[rounds:2]]");
  await scenario.drain();
  return { workspaceId, asked: generations() - before, tookMs: Date.now() - startedMs };
}

describe("a job is completed all the same", () => {
  test("when the provider asks to wait: not before its Retry-After is over", async () => {
    hit(1, { kind: "status", status: 429, headers: { "retry-after": "1" } });
    const { workspaceId, asked, tookMs } = await runJob();
    expect(scenario.summary(workspaceId).state).toBe("completed");
    expect(asked).toBe(4);
    expect(tookMs).toBeGreaterThan(1_000);
    expect(scenario.lines("call_retried").at(-1)).toMatchObject({
      what: "model",
      reason: "model_unavailable",
      waitMs: 1_000,
    });
  });

  test("when the provider fails twice", async () => {
    hit(2, { kind: "status", status: 500 });
    const { workspaceId, asked } = await runJob();
    expect(scenario.summary(workspaceId).state).toBe("completed");
    expect(asked).toBe(5);
  });

  test("when the stream is cut in the middle", async () => {
    hit(1, { kind: "reset", when: "mid-stream" });
    const { workspaceId, asked } = await runJob();
    expect(scenario.summary(workspaceId).state).toBe("completed");
    expect(asked).toBe(4);
  });

  test("when a proxy answers with a web page", async () => {
    hit(1, { kind: "html" });
    const { workspaceId, asked } = await runJob();
    expect(scenario.summary(workspaceId).state).toBe("completed");
    expect(asked).toBe(4);
  });

  test("when the connection is cut before an answer", async () => {
    hit(1, { kind: "reset", when: "before" });
    const { workspaceId, asked } = await runJob();
    expect(scenario.summary(workspaceId).state).toBe("completed");
    expect(asked).toBe(4);
  });
});

describe("a job fails with a reason", () => {
  test("when the provider does not come back, after a bounded number of tries", async () => {
    hit(100, { kind: "status", status: 503, headers: { "retry-after-ms": "10" } });
    const { workspaceId, asked } = await runJob();
    const { state, failure } = scenario.summary(workspaceId);
    expect(state).toBe("failed");
    expect(failure).toMatch(/^the model's provider is not available: Injected fault: 503 \(HTTP 503/);
    expect(asked).toBe(5);
  });

  test("when the account's quota is used up: trying again cannot help", async () => {
    const body = { error: { message: "You exceeded your current quota.", code: "insufficient_quota" } };
    hit(100, { kind: "status", status: 429, body });
    const { workspaceId, asked } = await runJob();
    expect(scenario.summary(workspaceId)).toMatchObject({
      state: "failed",
      failure: expect.stringContaining("the quota of the model's account is used up"),
    });
    expect(asked).toBe(1);
  });
});
