import { describe, expect, it } from "vitest";
import { createStudio } from "../../../lib/studio/client.ts";
import { script } from "../../support/http-server.ts";
import {
  accountToken,
  adminCall,
  answerTo,
  calls,
  context,
  createFixture,
  createTestClock,
  jobCall,
  payload,
  rejectionOf,
  runnerKey,
  type RouteName,
} from "./helpers.ts";

const leased = { leased: true, workspaceId: "ws-9", leaseExpiresAt: 1_700_000_600_000, workspace: { x: 1 } };
const ws = { workspaceId: "ws-1" };
const summary = { summaryText: "Before", fromMessageId: "m1", throughMessageId: "m2" };
/** One minute and a half second after the test clock's time. */
const aMinuteAhead = { date: "Tue, 14 Nov 2023 22:14:20 GMT" };

describe("requests", () => {
  it.each<readonly [RouteName, string, string, object]>([
    ["lease", "leaseWorkspaceJob", runnerKey, {}],
    ["context", "getWorkspaceRunnerContext", runnerKey, ws],
    ["heartbeat", "heartbeatWorkspaceJob", runnerKey, ws],
    ["updateSummary", "updateWorkspaceRunnerSummary", runnerKey, { ...ws, ...summary }],
    ["complete", "completeWorkspaceJob", runnerKey, payload],
    ["fail", "failWorkspaceJob", runnerKey, { ...ws, error: "No luck" }],
    ["createRunnerInstance", "createRunnerInstance", accountToken, { kind: "user", name: "laptop" }],
    ["revokeRunnerInstance", "revokeRunnerInstance", accountToken, { instanceId: "inst-1" }],
    ["renameRunnerInstance", "updateRunnerInstance", accountToken, { instanceId: "inst-1", name: "desk" }],
  ])("%s posts JSON to /%s with its credential", async (name, path, credential, body) => {
    const { server, studio } = await createFixture(script({ status: 400, body: {} }));
    await rejectionOf(calls[name](studio));
    const request = server.requests[0];
    const headers = { authorization: `Bearer ${credential}`, "content-type": "application/json" };
    expect(request).toMatchObject({ method: "POST", path: `/${path}`, headers });
    expect(request?.json()).toEqual(name === "complete" ? { ...ws, ...body } : body);
  });

  it("keep the path of the base address without its trailing slashes", async () => {
    const { server, studio } = await createFixture(script({ body: { leased: false } }), { path: "/api//" });
    await studio.lease(jobCall());
    expect(server.requests[0]?.path).toBe("/api/leaseWorkspaceJob");
  });

  it.each(["", "cloud.example", "ftp://x.example", "https://me:hunter2@x.example", "https://x.example/?a=1"])(
    "cannot be configured with the base address %j",
    (baseUrl) => {
      const build = (): unknown =>
        createStudio({ baseUrl, fetch: globalThis.fetch, clock: createTestClock(), random: () => 0 });
      expect(build).toThrow(expect.objectContaining({ code: "config_invalid" }));
      expect(build).not.toThrow(/hunter2/);
    },
  );

  it("leave out fields that a completion does not have", async () => {
    const { server, studio } = await createFixture(script({}));
    const more = { ...payload, workspaceId: "another", note: "x" };
    await studio.complete(jobCall(), more);
    expect(server.requests[0]?.json()).toEqual({ ...ws, ...payload });
  });
});

describe("answers", () => {
  it("to a lease call are undefined when the queue is empty", async () => {
    expect(await answerTo("lease", { body: { leased: false, hint: "later" } })).toBeUndefined();
  });

  it("to a lease call are reduced to the workspace, the lease's end and the clock skew", async () => {
    const lease = { workspaceId: "ws-9", leaseExpiresAtMs: 1_700_000_600_000, skewMs: 0 };
    expect(await answerTo("lease", { body: { ...leased, workspace: null } })).toEqual(lease);
  });

  it("have lease ends converted to our clock when Studio's clock is ahead", async () => {
    const later = { leaseExpiresAt: 1_700_000_660_500 };
    const { studio } = await createFixture(
      script({ headers: aMinuteAhead, body: leased }, { headers: aMinuteAhead, body: later }),
    );
    expect(await studio.lease(jobCall())).toMatchObject({
      leaseExpiresAtMs: 1_700_000_539_500,
      skewMs: 60_500,
    });
    expect(await studio.heartbeat(jobCall())).toEqual({ leaseExpiresAtMs: 1_700_000_600_000 });
  });

  it("to a context call keep unknown fields and include the clock skew", async () => {
    const body = { ...context, mood: "new" };
    const answer = await answerTo("context", { headers: aMinuteAhead, body });
    expect(answer).toEqual({ ...body, skewMs: 60_500 });
  });

  it.each(["updateSummary", "complete", "fail", "revokeRunnerInstance", "renameRunnerInstance"] as const)(
    "to %s may be empty",
    async (name) => expect(await answerTo(name, { status: 204 })).toBeUndefined(),
  );

  it.each([
    ["laptop", "laptop"],
    [null, ""],
  ])("to createRunnerInstance hold the new key as a secret when the name is %j", async (name, expected) => {
    const ids = { instanceId: "inst-1", credentialId: "cred-8", runnerToken: "cred-8.fresh-secret" };
    const { studio } = await createFixture(script({ status: 201, body: { ...ids, kind: "user", name } }));
    const made = await studio.createRunnerInstance(adminCall(), { kind: "user" });
    expect(made.key.id).toBe("cred-8");
    expect(made.key.value.reveal()).toBe("cred-8.fresh-secret");
    expect(made).toMatchObject({ instanceId: "inst-1", kind: "user", name: expected });
    expect(JSON.stringify(made)).not.toContain("fresh-secret");
  });
});

it.each([
  [`${"x".repeat(499)}y`, `${"x".repeat(499)}y`],
  [`${"x".repeat(499)}😀`, "x".repeat(499)],
  ["a\uD83Db", "a\uFFFDb"],
])("the reason of a failure is well-formed text of at most 500 characters: %j", async (reason, error) => {
  const { server, studio } = await createFixture(script({}));
  await studio.fail(jobCall(), reason);
  expect(server.requests[0]?.json()).toEqual({ ...ws, error });
});

describe("while Studio is unavailable,", () => {
  const byClient = ["updateSummary", "revokeRunnerInstance", "renameRunnerInstance"] as const;
  const byCaller = ["lease", "heartbeat", "createRunnerInstance", "context", "complete", "fail"] as const;

  it.each<readonly [RouteName, readonly number[]]>([
    ...byClient.map((name) => [name, [500, 1_000, 2_000]] as const),
    ...byCaller.map((name) => [name, []] as const),
  ])("%s is repeated by the client after %j ms, and then no more", async (name, waits) => {
    const { server, studio, clock } = await createFixture(() => ({ status: 503 }));
    await expect(calls[name](studio)).rejects.toMatchObject({
      code: "studio_unavailable",
      retryable: true,
    });
    expect(server.requests).toHaveLength(waits.length + 1);
    expect(clock.waits).toEqual(waits);
  });

  it("updateSummary waits as long as Retry-After asks", async () => {
    const { server, studio, clock } = await createFixture(
      script(
        { status: 429, headers: { "retry-after": "7" } },
        { raw: (response) => response.destroy() },
        { status: 503, headers: { "retry-after": "Tue, 14 Nov 2023 22:13:31 GMT" } },
        {},
      ),
    );
    await calls.updateSummary(studio);
    expect(server.requests).toHaveLength(4);
    expect(clock.waits).toEqual([7_000, 1_000, 11_000]);
  });

  it("updateSummary leaves a wait of more than a minute to its caller", async () => {
    const { server, studio } = await createFixture(script({ status: 503, headers: { "retry-after": "61" } }));
    await expect(calls.updateSummary(studio)).rejects.toMatchObject({ retryAfterMs: 61_000 });
    expect(server.requests).toHaveLength(1);
  });
});
