import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { FaultRule } from "../../local/studio/faults.ts";
import { startScenario, type Scenario } from "../support/stack.ts";

let scenario: Scenario;
beforeAll(async () => {
  // A failed heartbeat is repeated after a fraction of the lease.
  scenario = await startScenario({ turnMs: 10, leaseMs: 20_000 });
});
afterEach(() => scenario.studio.faults.clear());
afterAll(() => scenario.close());

const hit = (route: `/${string}`, times: number, fault: FaultRule["fault"]): void =>
  scenario.studio.faults.add({ route, times, fault });

/** Returns the workspace's id. */
async function runJob(text = "Plan a launch. [[rounds:1]]"): Promise<string> {
  const workspaceId = scenario.queue(text);
  await scenario.drain();
  return workspaceId;
}

const calls = (workspaceId: string, path: `/${string}`): number =>
  scenario.requests(workspaceId).filter((one) => one === path).length;

/** The number of assistant messages that Studio has stored for the workspace. */
async function delivered(workspaceId: string): Promise<number> {
  const { messages } = await scenario.detail(workspaceId);
  return messages.filter(({ role }) => role === "assistant").length;
}

async function reasonOf(workspaceId: string): Promise<string> {
  const { state, reason } = await scenario.ended(workspaceId);
  return `${state}: ${reason}`;
}

describe("a job is completed and delivered once", () => {
  test("when its context is unavailable at first", async () => {
    hit("/getWorkspaceRunnerContext", 2, { kind: "status", status: 503 });
    const workspaceId = await runJob();
    expect(await reasonOf(workspaceId)).toBe("completed: ok");
    expect(calls(workspaceId, "/getWorkspaceRunnerContext")).toBe(3);
    expect(await delivered(workspaceId)).toBe(1);
  });

  test("when a proxy's page with status 200 arrives instead of its context", async () => {
    hit("/getWorkspaceRunnerContext", 2, { kind: "html", status: 200 });
    const workspaceId = await runJob();
    expect(await reasonOf(workspaceId)).toBe("completed: ok");
    expect(calls(workspaceId, "/getWorkspaceRunnerContext")).toBe(3);
  });

  test("when Studio fails at the completion", async () => {
    hit("/completeWorkspaceJob", 3, { kind: "status", status: 503 });
    const workspaceId = await runJob();
    expect(await reasonOf(workspaceId)).toBe("completed: ok");
    expect(calls(workspaceId, "/completeWorkspaceJob")).toBe(4);
    expect(await delivered(workspaceId)).toBe(1);
  });

  test("when Studio asks to wait at the completion", async () => {
    hit("/completeWorkspaceJob", 1, { kind: "status", status: 429, headers: { "retry-after": "1" } });
    const workspaceId = await runJob();
    expect(await reasonOf(workspaceId)).toBe("completed: ok");
    expect(scenario.lines("call_retried").at(-1)).toMatchObject({
      reason: "studio_unavailable",
      waitMs: 1_000,
    });
    expect(await delivered(workspaceId)).toBe(1);
  });

  test("when the connection is cut before the completion takes effect", async () => {
    hit("/completeWorkspaceJob", 1, { kind: "reset", when: "before" });
    const workspaceId = await runJob();
    expect(await reasonOf(workspaceId)).toBe("completed: ok");
    expect(await delivered(workspaceId)).toBe(1);
  });

  test("when Studio refuses the payload, and the model corrects it in one more round", async () => {
    const askedBefore = scenario.asked().length;
    hit("/completeWorkspaceJob", 1, { kind: "status", status: 400, body: { error: "charts[0]: too wide" } });
    const workspaceId = await runJob();
    expect(await reasonOf(workspaceId)).toBe("completed: ok");
    expect(calls(workspaceId, "/completeWorkspaceJob")).toBe(2);
    expect(scenario.lines("payload_refused")).toMatchObject([
      { reason: "studio_rejected", explanation: expect.stringContaining("charts[0]: too wide") },
    ]);
    // A tool round and the message; then the refusal is sent in a message that follows it.
    const [, , repair] = scenario.asked().slice(askedBefore);
    expect(repair).toMatchObject({ previousResponseId: expect.any(String), inputKinds: ["message"] });
    expect(await delivered(workspaceId)).toBe(1);
  });

  test("when a heartbeat fails in between", async () => {
    hit("/heartbeatWorkspaceJob", 1, { kind: "reset", when: "before" });
    const workspaceId = await runJob();
    expect(await reasonOf(workspaceId)).toBe("completed: ok");
    expect(await delivered(workspaceId)).toBe(1);
  });
});

describe("a completion that took effect but got no answer is recorded as completed and unconfirmed", () => {
  test.each([
    ["by a cut connection", { kind: "reset", when: "after" }],
    ["after a proxy's error", { kind: "html", status: 502, when: "after" }],
  ] as const)("%s", async (_, fault) => {
    const unconfirmedBefore = scenario.lines("completion_unconfirmed").length;
    hit("/completeWorkspaceJob", 1, fault);
    const workspaceId = await runJob();
    expect(await reasonOf(workspaceId)).toBe("completed: unconfirmed");
    expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", failure: null, leases: 1 });
    expect(await delivered(workspaceId)).toBe(1);
    expect(calls(workspaceId, "/failWorkspaceJob")).toBe(0);
    expect(scenario.lines("completion_unconfirmed")).toHaveLength(unconfirmedBefore + 1);
  });
});

describe("a failed job is reported", () => {
  test("even if Studio refuses the report at first", async () => {
    hit("/failWorkspaceJob", 2, { kind: "status", status: 503 });
    const workspaceId = await runJob("Plan a launch. [[refuse]]");
    expect(await reasonOf(workspaceId)).toBe("failed: model_refused");
    expect(calls(workspaceId, "/failWorkspaceJob")).toBe(3);
    expect(scenario.summary(workspaceId)).toMatchObject({
      state: "failed",
      failure: "The model declined: I can't help with that request.",
    });
  });

  test("with Studio's words when it refuses the payload and the corrected one", async () => {
    hit("/completeWorkspaceJob", 2, { kind: "status", status: 400, body: { error: "charts[0]: too wide" } });
    const workspaceId = await runJob();
    expect(await reasonOf(workspaceId)).toBe("failed: studio_rejected");
    expect(calls(workspaceId, "/completeWorkspaceJob")).toBe(2);
    expect(scenario.summary(workspaceId)).toMatchObject({
      state: "failed",
      failure: expect.stringContaining("charts[0]: too wide"),
    });
  });

  test("when its context breaks the contract twice in a row", async () => {
    hit("/getWorkspaceRunnerContext", 2, { kind: "status", status: 200, body: { title: null } });
    const workspaceId = await runJob();
    expect(await reasonOf(workspaceId)).toBe("failed: studio_contract");
    // The third reads the job again, for the case that the failure's report gets no answer.
    expect(calls(workspaceId, "/getWorkspaceRunnerContext")).toBe(3);
  });
});

test("a cycle continues after a failed lease call, and its next call leases the job", async () => {
  hit("/leaseWorkspaceJob", 1, { kind: "status", status: 503 });
  const workspaceId = scenario.queue("Plan a launch.");
  expect((await scenario.cycle()).error?.errorMessage).toContain("Studio is not available just now");
  await scenario.drain();
  expect(scenario.summary(workspaceId)).toMatchObject({ state: "completed", leases: 1 });
});
