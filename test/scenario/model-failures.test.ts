import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { FaultRule } from "../../local/model/faults.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

let scenario: Scenario;
const begin = (mode: "background" | "streaming" | "auto"): void => {
  beforeAll(async () => {
    scenario = await startScenario({ turnMs: 20, variables: { OPENAI_MODE: mode } });
  });
  afterEach(() => scenario.model.faults.clear());
  afterAll(() => scenario.close());
};

const ask = "POST /v1/responses";
const look = "GET /v1/responses/:id";

/** Adds a fault for the next `times` requests of this kind to the model. */
const hit = (route: string, times: number, fault: FaultRule["fault"]): void =>
  scenario.model.faults.add({ route, times, fault });

interface Ran {
  readonly workspaceId: string;
  /** Rounds requested from the model, including refused ones. */
  readonly asked: number;
}

/** Runs a job with a tool round and a message: two rounds without faults. */
async function runJob(): Promise<Ran> {
  const before = scenario.asked().length;
  const workspaceId = scenario.queue("Plan a launch. [[rounds:1]]");
  await scenario.drain();
  return { workspaceId, asked: scenario.asked().length - before };
}

async function expectCompleted(asked: number): Promise<Ran> {
  const ran = await runJob();
  expect(scenario.summary(ran.workspaceId)).toMatchObject({ state: "completed", failure: null });
  expect(ran.asked).toBe(asked);
  return ran;
}

describe("a job is completed", () => {
  begin("auto");

  test("when the provider asks to wait, after its Retry-After", async () => {
    hit(ask, 1, { kind: "status", status: 429, headers: { "retry-after": "1" } });
    const { workspaceId } = await expectCompleted(3);
    expect(scenario.lines("call_retried").at(-1)).toMatchObject({
      what: "model",
      workspaceId,
      attempt: 1,
      reason: "model_unavailable",
      waitMs: 1_000,
    });
  });

  test.each([
    ["when the provider fails twice", 2, 4, { kind: "status", status: 500 }],
    ["when a proxy answers with a web page", 1, 3, { kind: "html" }],
    ["when the connection is cut before an answer", 1, 3, { kind: "reset", when: "before" }],
  ] as const)("%s", async (_, times, asked, fault) => {
    hit(ask, times, fault);
    await expectCompleted(asked);
  });

  test.each([
    ["when its response cannot be retrieved for a while", 2, { kind: "status", status: 503 }],
    ["when its response is not found at first", 2, { kind: "status", status: 404 }],
    ["when a proxy answers instead of its response", 1, { kind: "html" }],
    ["when the connection is cut while its response is retrieved", 2, { kind: "reset", when: "before" }],
  ] as const)("%s after its stream was cut, without requesting a round again", async (_, times, fault) => {
    hit(ask, 1, { kind: "reset", when: "mid-stream", events: 3 });
    hit(look, times, fault);
    await expectCompleted(2);
  });
});

describe("a streamed job is completed", () => {
  begin("streaming");

  test("when the stream is cut in the middle", async () => {
    hit(ask, 1, { kind: "reset", when: "mid-stream" });
    await expectCompleted(3);
  });
});

describe("a job fails with a reason", () => {
  begin("auto");

  test("when the provider stays unavailable, after a limited number of tries", async () => {
    hit(ask, 100, { kind: "status", status: 503 });
    const { workspaceId, asked } = await runJob();
    const { state, failure } = scenario.summary(workspaceId);
    expect(state).toBe("failed");
    expect(failure).toMatch(/^The model's provider is not available: Injected fault: 503 \(HTTP 503/);
    expect(asked).toBe(5);
  });

  test("when the account's quota is used up, without trying again", async () => {
    const body = { error: { message: "You exceeded your current quota.", code: "insufficient_quota" } };
    hit(ask, 100, { kind: "status", status: 429, body });
    const { workspaceId, asked } = await runJob();
    expect(scenario.summary(workspaceId)).toMatchObject({
      state: "failed",
      failure: expect.stringContaining("The quota of the model's account is used up"),
    });
    expect(asked).toBe(1);
  });
});
