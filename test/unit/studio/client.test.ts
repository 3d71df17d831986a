import { describe, expect, it } from "vitest";
import { createStudio } from "../../../lib/studio/client.ts";
import { script } from "../../support/http-server.ts";
import {
  accountToken,
  adminCall,
  calls,
  context,
  createScene,
  createTestClock,
  jobCall,
  payload,
  rejectionOf,
  runnerKey,
  type RouteName,
} from "./helpers.ts";

const leased = { leased: true, workspaceId: "ws-9", leaseExpiresAt: 1_700_000_600_000, workspace: { x: 1 } };

interface Request {
  readonly name: RouteName;
  readonly path: string;
  readonly credential: string;
  readonly body: object;
}

const requests: readonly Request[] = [
  { name: "lease", path: "/leaseWorkspaceJob", credential: runnerKey, body: {} },
  {
    name: "context",
    path: "/getWorkspaceRunnerContext",
    credential: runnerKey,
    body: { workspaceId: "ws-1" },
  },
  { name: "heartbeat", path: "/heartbeatWorkspaceJob", credential: runnerKey, body: { workspaceId: "ws-1" } },
  {
    name: "updateSummary",
    path: "/updateWorkspaceRunnerSummary",
    credential: runnerKey,
    body: { workspaceId: "ws-1", summaryText: "Before", fromMessageId: "m1", throughMessageId: "m2" },
  },
  {
    name: "complete",
    path: "/completeWorkspaceJob",
    credential: runnerKey,
    body: {
      workspaceId: "ws-1",
      assistantMessage: "Done.",
      files: [{ name: "plan.md", content: "# Plan" }],
      charts: [],
      datasets: [],
      svgs: [],
      lists: [],
      checklists: [],
    },
  },
  {
    name: "fail",
    path: "/failWorkspaceJob",
    credential: runnerKey,
    body: { workspaceId: "ws-1", error: "No luck" },
  },
  {
    name: "createRunnerInstance",
    path: "/createRunnerInstance",
    credential: accountToken,
    body: { kind: "user", name: "laptop" },
  },
  {
    name: "revokeRunnerInstance",
    path: "/revokeRunnerInstance",
    credential: accountToken,
    body: { instanceId: "inst-1" },
  },
  {
    name: "renameRunnerInstance",
    path: "/updateRunnerInstance",
    credential: accountToken,
    body: { instanceId: "inst-1", name: "desk" },
  },
];

describe("requests", () => {
  it.each(requests)(
    "$name posts JSON to $path with its credential",
    async ({ name, path, credential, body }) => {
      const { server, studio } = await createScene(script({ status: 400, body: {} }));
      await rejectionOf(calls[name](studio));
      const request = server.requests[0];
      expect(request?.method).toBe("POST");
      expect(request?.path).toBe(path);
      expect(request?.json()).toEqual(body);
      expect(request?.headers.authorization).toBe(`Bearer ${credential}`);
      expect(request?.headers["content-type"]).toBe("application/json");
    },
  );

  it("tolerates slashes at the end of the base address, and keeps its path", async () => {
    const { server, studio } = await createScene(script({ body: { leased: false } }), { path: "/api//" });
    await studio.lease(jobCall());
    expect(server.requests[0]?.path).toBe("/api/leaseWorkspaceJob");
  });

  it.each([
    "",
    "cloud.example",
    "ftp://cloud.example",
    "https://me:hunter2@cloud.example",
    "https://x.example/?a=1",
  ])("refuses %j as the base address", (baseUrl) => {
    const build = (): unknown =>
      createStudio({ baseUrl, fetch: globalThis.fetch, clock: createTestClock(), random: () => 0 });
    expect(build).toThrow(expect.objectContaining({ code: "config_invalid" }));
    expect(build).not.toThrow(/hunter2/);
  });

  it("leaves fields that a payload happens to carry besides out of the request", async () => {
    const { server, studio } = await createScene(script({}));
    const more = { ...payload, workspaceId: "another", note: "x" };
    await studio.complete(jobCall(), more);
    expect(server.requests[0]?.json()).toEqual({ workspaceId: "ws-1", ...payload });
  });
});

describe("answers about the lease", () => {
  it("an empty queue is undefined", async () => {
    const { studio } = await createScene(script({ body: { leased: false, hint: "later" } }));
    expect(await studio.lease(jobCall())).toBeUndefined();
  });

  it("a lease carries its workspace and its end", async () => {
    const { studio } = await createScene(script({ body: leased }));
    expect(await studio.lease(jobCall())).toEqual({
      workspaceId: "ws-9",
      leaseExpiresAtMs: 1_700_000_600_000,
      skewMs: 0,
    });
  });

  it("a lease whose workspace is of no known shape is a lease all the same", async () => {
    const { studio } = await createScene(script({ body: { ...leased, workspace: null } }));
    expect(await studio.lease(jobCall())).toMatchObject({ workspaceId: "ws-9" });
  });

  it("the lease's end is put on our clock where Studio's runs ahead", async () => {
    // Ours: 2023-11-14T22:13:20Z. Studio's: one minute later.
    const headers = { date: "Tue, 14 Nov 2023 22:14:20 GMT" };
    const { studio } = await createScene(
      script({ headers, body: leased }, { headers, body: { leaseExpiresAt: 1_700_000_660_500 } }),
    );
    expect(await studio.lease(jobCall())).toEqual({
      workspaceId: "ws-9",
      leaseExpiresAtMs: 1_700_000_539_500,
      skewMs: 60_500,
    });
    expect(await studio.heartbeat(jobCall())).toEqual({ leaseExpiresAtMs: 1_700_000_600_000 });
  });

  it("a context says how far Studio's clock is from ours, for the times in it", async () => {
    const headers = { date: "Tue, 14 Nov 2023 22:14:20 GMT" };
    const { studio } = await createScene(script({ headers, body: context }));
    expect(await studio.context(jobCall())).toMatchObject({ skewMs: 60_500 });
  });

  it("a context comes with its unknown extra fields", async () => {
    const { studio } = await createScene(script({ body: { ...context, mood: "new" } }));
    expect(await studio.context(jobCall())).toEqual({ ...context, mood: "new", skewMs: 0 });
  });

  it.each([
    ["its new end", { leaseExpiresAt: 1_700_000_900_000 }, 1_700_000_900_000],
    ["null", { leaseExpiresAt: null }, undefined],
    ["nothing", {}, undefined],
    ["an empty body", "", undefined],
  ])("a heartbeat may be answered with %s", async (_, body, leaseExpiresAtMs) => {
    const { studio } = await createScene(script({ body }));
    expect(await studio.heartbeat(jobCall())).toEqual({ leaseExpiresAtMs });
  });
});

describe("answers of the other routes", () => {
  it.each(["updateSummary", "complete", "fail", "revokeRunnerInstance", "renameRunnerInstance"] as const)(
    "%s is content with an empty answer",
    async (name) => {
      const { studio } = await createScene(script({ status: 204 }));
      expect(await calls[name](studio)).toBeUndefined();
    },
  );

  it.each([
    ["a name", "laptop", "laptop"],
    ["no name", null, ""],
  ])("a new instance gives its key, with %s", async (_, name, expected) => {
    const body = {
      instanceId: "inst-1",
      credentialId: "cred-8",
      runnerToken: "cred-8.fresh-secret",
      kind: "user",
      name,
    };
    const { studio } = await createScene(script({ status: 201, body }));
    const made = await studio.createRunnerInstance(adminCall(), { kind: "user" });
    expect(made.key.id).toBe("cred-8");
    expect(made.key.value.reveal()).toBe("cred-8.fresh-secret");
    expect(made).toMatchObject({ instanceId: "inst-1", kind: "user", name: expected });
    expect(JSON.stringify(made)).not.toContain("fresh-secret");
  });
});

describe("the reason of a failure", () => {
  it.each([
    ["500 characters whole", "x".repeat(500), "x".repeat(500)],
    ["501 characters to 500", `${"x".repeat(500)}y`, "x".repeat(500)],
    ["before a pair of surrogates that would be split", `${"x".repeat(499)}😀`, "x".repeat(499)],
    ["after a pair that fits", `${"x".repeat(498)}😀z`, `${"x".repeat(498)}😀`],
    ["without lone surrogates", "a\uD83Db", "a\uFFFDb"],
  ])("goes out %s", async (_, reason, sent) => {
    const { server, studio } = await createScene(script({}));
    await studio.fail(jobCall(), reason);
    expect(server.requests[0]?.json()).toEqual({ workspaceId: "ws-1", error: sent });
  });
});

describe("repeating", () => {
  const repeated: readonly RouteName[] = ["updateSummary", "revokeRunnerInstance", "renameRunnerInstance"];
  const byJob: readonly RouteName[] = ["context", "complete", "fail"];
  const single: readonly RouteName[] = ["lease", "heartbeat", "createRunnerInstance", ...byJob];

  it.each(repeated)("%s is tried four times, with growing waits", async (name) => {
    const { server, studio, clock } = await createScene(() => ({ status: 503 }));
    await expect(calls[name](studio)).rejects.toMatchObject({ code: "studio_unavailable", retryable: true });
    expect(server.requests).toHaveLength(4);
    expect(clock.waits).toEqual([500, 1_000, 2_000]);
  });

  it.each(single)("%s is tried once", async (name) => {
    const { server, studio } = await createScene(() => ({ status: 503 }));
    await expect(calls[name](studio)).rejects.toMatchObject({ code: "studio_unavailable", retryable: true });
    expect(server.requests).toHaveLength(1);
  });
});

describe("waiting", () => {
  it("succeeds once Studio is back", async () => {
    const { server, studio } = await createScene(
      script({ status: 429 }, { raw: (response) => response.destroy() }, {}),
    );
    await calls.updateSummary(studio);
    expect(server.requests).toHaveLength(3);
  });

  it("waits as long as Studio asks", async () => {
    const { studio, clock } = await createScene(
      script(
        { status: 429, headers: { "retry-after": "7" } },
        { status: 503, headers: { "retry-after": "Tue, 14 Nov 2023 22:13:31 GMT" } },
        {},
      ),
    );
    await calls.updateSummary(studio);
    expect(clock.waits).toEqual([7_000, 11_000]);
  });

  it("hands a wait of more than a minute to its caller", async () => {
    const { server, studio } = await createScene(script({ status: 503, headers: { "retry-after": "61" } }));
    await expect(calls.updateSummary(studio)).rejects.toMatchObject({ retryAfterMs: 61_000 });
    expect(server.requests).toHaveLength(1);
  });
});
