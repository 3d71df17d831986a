import { readFileSync } from "node:fs";
import { beforeAll, expect, it, vi } from "vitest";
import { isRunning } from "../../support/processes.ts";
import { call, kindsOf, useCloud } from "./fixture.ts";

beforeAll(() => {
  vi.stubEnv("OPENAI_API_KEY", "sk-leak");
  vi.stubEnv("RUNNER_TOKEN", "leak.leak");
});

const Variables = {
  RUNNER_POOL: "user",
  AWS_USE_FIPS_ENDPOINT: "true",
  AWS_USE_DUALSTACK_ENDPOINT: "true",
};
const watched = useCloud({
  functions: {
    RunnerEchoA1B2C3D4: { properties: { Environment: { Variables } } },
    FrozenA1B2C3D4: {},
    QuickA1B2C3D4: { properties: { Timeout: 1 } },
    StillA1B2C3D4: { properties: { Timeout: 1 } },
    SmallA1B2C3D4: { properties: { MemorySize: 128 } },
    LoudA1B2C3D4: {},
    ParentA1B2C3D4: {},
    JsonA1B2C3D4: { properties: { LoggingConfig: { LogFormat: "JSON", ApplicationLogLevel: "INFO" } } },
  },
});

/** Invokes synchronously; returns Lambda's answer with the parsed payload. */
async function invoke(functionName: string, event: object) {
  const result = await watched.cloud.invoke(functionName, event, { type: "RequestResponse" });
  const own = () => watched.events.filter((one) => "requestId" in one && one.requestId === result.requestId);
  return { ...result, own, answer: JSON.parse(result.payload ?? "") };
}

const processesOf = (label: string) =>
  watched.cloud.functions().find((one) => one.label === label)?.environments ?? [];

it("a process gets only the template's and Lambda's variables, without settings for FIPS or dual-stack endpoints", async () => {
  const env = await call<Record<string, string>>(watched.cloud, "RunnerEchoA1B2C3D4", { do: "env" });

  const names = Object.keys(env).filter((name) => !name.startsWith("AWS_LAMBDA_"));
  expect(names.toSorted().join(" ")).toBe(
    "AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_ENDPOINT_URL AWS_ENDPOINT_URL_DYNAMODB AWS_ENDPOINT_URL_LAMBDA " +
      "AWS_ENDPOINT_URL_SECRETS_MANAGER AWS_EXECUTION_ENV AWS_REGION AWS_SECRET_ACCESS_KEY HOME " +
      "LAMBDA_TASK_ROOT LANG PATH RUNNER_POOL TZ _HANDLER _X_AMZN_TRACE_ID",
  );
  expect(env["RUNNER_POOL"]).toBe("user");
});

it("a process is frozen between invocations, and its timers continue in the next one", async () => {
  await call(watched.cloud, "FrozenA1B2C3D4", { do: "tick" });
  const pid = processesOf("frozen")[0]?.pid;
  await expect.poll(() => readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^State:\s+T/m);
  await call(watched.cloud, "FrozenA1B2C3D4", { do: "sleep", ms: 50 });
  const ticks = await call<number>(watched.cloud, "FrozenA1B2C3D4", { do: "ticks" });

  expect(ticks).toBeGreaterThan(0);
});

it("a process is killed at its function's timeout, and the next invocation starts a new one", async () => {
  const result = await invoke("QuickA1B2C3D4", { do: "sleep", ms: 60_000 });
  const next = await call(watched.cloud, "QuickA1B2C3D4", { do: "echo" });

  expect(result.functionError).toBe("Unhandled");
  expect(result.answer).toEqual({
    errorType: "Sandbox.Timedout",
    errorMessage: `RequestId: ${result.requestId} Error: Task timed out after 1.00 seconds`,
  });
  expect(kindsOf(result.own())).toContain("timeout");
  expect(next.calls).toBe(1);
});

it("a process that exceeds its function's memory is killed", async () => {
  const { requestId, answer, own } = await invoke("SmallA1B2C3D4", { do: "eat" });

  expect(answer).toEqual({
    errorType: "Runtime.OutOfMemory",
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
  });
  expect(kindsOf(own())).toContain("killed");
});

it.each([
  ["an exit code", { do: "exit", code: 7 }, "Runtime exited with error: exit status 7"],
  ["a quiet exit", { do: "exit", code: 0 }, "Runtime exited without providing a reason"],
])("a process that exits during an invocation gives Runtime.ExitError: %s", async (_, event, problem) => {
  const { requestId, answer, own } = await invoke("LoudA1B2C3D4", event);

  expect(answer).toEqual({
    errorType: "Runtime.ExitError",
    errorMessage: `RequestId: ${requestId} Error: ${problem}`,
  });
  expect(kindsOf(own())).toContain("crash");
});

it.each([
  ["an uncaught exception", "throwLater", { errorType: "RangeError", errorMessage: "out of nowhere" }],
  [
    "an unhandled rejection",
    "reject",
    { errorType: "Runtime.UnhandledPromiseRejection", errorMessage: "nobody cared" },
  ],
])("a process is ended after %s, which is reported", async (_, action, error) => {
  const { answer, own } = await invoke("LoudA1B2C3D4", { do: action });

  const event = own().find(({ kind }) => kind === "error");
  const pid = event !== undefined && "pid" in event ? event.pid : 0;
  expect(answer).toMatchObject(error);
  expect(pid).toBeGreaterThan(0);
  await expect.poll(() => isRunning(pid)).toBe(false);
});

it("a response over 6 MB is rejected", async () => {
  const failure = await call(watched.cloud, "LoudA1B2C3D4", { do: "big" });

  expect(failure).toEqual({
    errorType: "Function.ResponseSizeTooLarge",
    errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
  });
});

it("JSON log lines respect the template's log level", async () => {
  const { requestId, own } = await invoke("JsonA1B2C3D4", { do: "log" });

  const lines = own().flatMap((event) =>
    event.kind === "log" && event.stream === "stdout" ? [JSON.parse(event.line)] : [],
  );
  expect(lines.map(({ level, requestId: of }) => [level, of])).toEqual([
    ["INFO", requestId],
    ["INFO", requestId],
    ["ERROR", requestId],
  ]);
  expect(lines[1].message).toBe("one line");
  expect(lines[2].message).toMatchObject({ errorType: "Error", errorMessage: "two\nlines" });
});

it("processes started by a function end with the function's process", async () => {
  const grandchild = await call<number>(watched.cloud, "ParentA1B2C3D4", { do: "spawn" });
  expect(isRunning(grandchild)).toBe(true);
  await call(watched.cloud, "ParentA1B2C3D4", { do: "exit", code: 1 });

  await expect.poll(() => isRunning(grandchild)).toBe(false);
});
