import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { script } from "../../support/http-server.ts";
import { answerTo, calls, createFixture, createTestClock, jobCall, payload, rejectionOf } from "./helpers.ts";

describe("a network fault", () => {
  it("names the address and what to check when the connection is refused", async () => {
    const { server, studio } = await createFixture(() => ({}));
    await server.close();
    const error = await rejectionOf(calls.lease(studio));
    expect(error).toMatchObject({
      code: "studio_unavailable",
      retryable: true,
      status: undefined,
      message: `Studio at ${server.baseUrl} could not be reached: ECONNREFUSED, check the address and that Studio is running there (POST /leaseWorkspaceJob)`,
      cause: { cause: { code: "ECONNREFUSED" } },
    });
  });

  const mailServer = (response: ServerResponse) => void response.socket?.end("220 mail.example ESMTP\r\n");
  const cutInAnswer = (response: ServerResponse): void => {
    response.writeHead(200, { "content-length": "100" }).write('{"leased"');
    setImmediate(() => response.destroy());
  };

  it.each<readonly [string, (response: ServerResponse) => void, string]>([
    ["an answer that is not HTTP", mailServer, "the answer is not HTTP"],
    ["a connection cut before the answer", (response) => response.destroy(), "the connection was cut"],
    ["a connection cut in the answer", cutInAnswer, "the connection was cut"],
  ])("is reported as retryable for %s", async (_, raw, words) => {
    const message = expect.stringContaining(words) as unknown;
    const fault = { code: "studio_unavailable", retryable: true, message };
    await expect(answerTo("lease", { raw })).rejects.toMatchObject(fault);
  });

  it.each([
    ["a TypeError of our own", new TypeError("x is not a function")],
    ["fetch failed without a cause", new TypeError("fetch failed")],
    ["a wrong address", new TypeError("fetch failed", { cause: new Error("unknown scheme") })],
    ["an error with a code", Object.assign(new Error("no file"), { code: "ENOENT" })],
  ])("is not reported for %s, which is thrown unchanged and not retried", async (_, bug) => {
    let asked = 0;
    const wrapFetch = () => () => {
      asked += 1;
      return Promise.reject(bug);
    };
    const { studio } = await createFixture(() => ({}), { wrapFetch });
    expect(await rejectionOf(calls.complete(studio))).toBe(bug);
    expect(asked).toBe(1);
  });
});

describe("the time limit", () => {
  it.each([
    ["lease", 10_000],
    ["context", 30_000],
    ["heartbeat", 15_000],
    ["updateSummary", 30_000],
    ["complete", 60_000],
    ["fail", 15_000],
    ["createRunnerInstance", 30_000],
    ["revokeRunnerInstance", 30_000],
    ["renameRunnerInstance", 30_000],
  ] as const)("of %s is %i ms", async (name, limitMs) => {
    const { studio, clock } = await createFixture(script({ status: 400 }));
    await rejectionOf(calls[name](studio));
    expect(clock.limits).toEqual([limitMs]);
  });
});

describe("a call at its time limit", () => {
  it("fails as retryable when there is no answer", async () => {
    const { server, studio, clock } = await createFixture(() => ({ raw: () => undefined }));
    const failed = rejectionOf(calls.lease(studio));
    await server.received(1);
    clock.fireLimits();
    const message = `Studio at ${server.baseUrl} did not answer in time: POST /leaseWorkspaceJob took longer than 10000 ms`;
    expect(await failed).toMatchObject({ code: "studio_unavailable", retryable: true, message });
  });

  it.each([
    [200, { code: "studio_unavailable", retryable: true }],
    [409, { code: "lease_lost", status: 409 }],
    [503, { code: "studio_unavailable", status: 503 }],
  ] as const)("fails when a %i has a body that never ends", async (status, expected) => {
    const clock = createTestClock();
    const headed = Promise.withResolvers<void>();
    const { studio } = await createFixture(
      () => ({ raw: (response) => void response.writeHead(status).write('{"workspaceId"') }),
      {
        clock,
        wrapFetch: (fetch) => async (input, init) => {
          const response = await fetch(input, init);
          headed.resolve();
          return response;
        },
      },
    );
    const failed = rejectionOf(calls.context(studio));
    await headed.promise;
    await new Promise((resolve) => setImmediate(resolve));
    clock.fireLimits();
    expect(await failed).toMatchObject(expected);
  });
});

describe("an abort by the caller", () => {
  it.each(["no answer", "a body that never ends"])("rejects with its reason despite %s", async (what) => {
    const { server, studio } = await createFixture(() => ({
      raw: (response) => {
        if (what !== "no answer") response.writeHead(200).write("{");
      },
    }));
    const caller = new AbortController();
    const failed = rejectionOf(studio.complete(jobCall(caller.signal), payload));
    await server.received(1);
    const reason = new RunnerError("lease_lost", "someone else has it");
    caller.abort(reason);
    expect(await failed).toBe(reason);
    expect(server.requests).toHaveLength(1);
  });

  it("rejects with its reason even when that is a time_limit error", async () => {
    const { server, studio } = await createFixture(() => ({ raw: () => undefined }));
    const caller = new AbortController();
    const failed = rejectionOf(studio.heartbeat(jobCall(caller.signal)));
    await server.received(1);
    const reason = new RunnerError("time_limit", "the heartbeat took too long", { retryable: true });
    caller.abort(reason);
    expect(await failed).toBe(reason);
  });

  it("prevents the request when it comes before the call", async () => {
    const { server, studio } = await createFixture(() => ({}));
    const reason = new Error("too late");
    expect(await rejectionOf(studio.fail(jobCall(AbortSignal.abort(reason)), "x"))).toBe(reason);
    expect(server.requests).toHaveLength(0);
  });
});
