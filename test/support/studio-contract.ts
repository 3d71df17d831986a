import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../lib/core/clock.ts";
import { createHttp, type Http } from "../../lib/adapters/http.ts";
import { Secret, type RunnerKey } from "../../lib/core/secret.ts";
import { createStudio } from "../../lib/studio/client.ts";
import type {
  AdminCall,
  Call,
  CompletePayload,
  JobCall,
  Studio,
  StudioAdmin,
} from "../../lib/studio/studio.ts";

/** The Studio to test, with an empty queue. All texts are as sent over HTTP. */
export interface StudioUnderTest {
  readonly baseUrl: string;
  /** A `credentialId.secret` of kind user. */
  readonly userKey: string;
  /** A `credentialId.secret` of kind global. */
  readonly globalKey: string;
  /** A `credentialId.secret` that was revoked. */
  readonly revokedKey: string;
  readonly accountToken: string;
  /** Queues a user's message and returns the workspace's id. */
  queueJob(text: string, target: "user" | "global"): Promise<string>;
  close(): Promise<void>;
}

const emptyPayload: CompletePayload = {
  assistantMessage: "Done.",
  files: [],
  charts: [],
  datasets: [],
  svgs: [],
  lists: [],
  checklists: [],
};

interface Fixture {
  readonly server: StudioUnderTest;
  readonly studio: Studio & StudioAdmin;
}

/** What the runner relies on, for every implementation of Studio. Each test leaves the queue empty. */
export function studioContract(name: string, makeServer: () => Promise<StudioUnderTest>): void {
  describe(`${name} keeps Studio's contract`, () => {
    let server: StudioUnderTest;
    let http: Http;
    let studio: Studio & StudioAdmin;

    beforeAll(async () => {
      server = await makeServer();
      http = createHttp();
      const { baseUrl } = server;
      studio = createStudio({ baseUrl, fetch: http.fetch, clock: systemClock, random: Math.random });
    });

    afterAll(async () => {
      await http?.close();
      await server?.close();
    });

    const fixture: Fixture = {
      get server() {
        return server;
      },
      get studio() {
        return studio;
      },
    };
    describe("leasing", () => {
      leasing(fixture);
    });
    describe("credentials", () => {
      credentials(fixture);
    });
    describe("a leased job", () => {
      leasedJob(fixture);
    });
    describe("a refused payload", () => {
      refusedPayload(fixture);
    });
    describe("runner instances", () => {
      runnerInstances(fixture);
    });
  });
}

function leasing(fixture: Fixture): void {
  it("says that an empty queue is empty", async () => {
    expect(await fixture.studio.lease(call(fixture.server.userKey))).toBeUndefined();
  });

  it("leases a waiting job once, until a time to come", async () => {
    const workspaceId = await fixture.server.queueJob("Write a plan", "user");
    const before = Date.now();
    const lease = await fixture.studio.lease(call(fixture.server.userKey));
    expect(lease?.workspaceId).toBe(workspaceId);
    expect(lease?.leaseExpiresAtMs).toBeGreaterThan(before);
    expect(await fixture.studio.lease(call(fixture.server.userKey))).toBeUndefined();
    await fixture.studio.fail({ ...call(fixture.server.userKey), workspaceId }, "cleared");
  });

  it.each([
    { target: "user", wrong: "globalKey", right: "userKey" },
    { target: "global", wrong: "userKey", right: "globalKey" },
  ] as const)("shows a $target job to no key of the other kind", async ({ target, wrong, right }) => {
    const workspaceId = await fixture.server.queueJob("Only for one kind", target);
    expect(await fixture.studio.lease(call(fixture.server[wrong]))).toBeUndefined();
    expect((await fixture.studio.lease(call(fixture.server[right])))?.workspaceId).toBe(workspaceId);
    await fixture.studio.fail({ ...call(fixture.server[right]), workspaceId }, "cleared");
  });
}

function credentials(fixture: Fixture): void {
  it("refuses a key that it does not know", async () => {
    await expect(fixture.studio.lease(call("nobody.no-such-secret"))).rejects.toMatchObject({
      code: "key_refused",
      status: 401,
    });
  });

  it("refuses a known credential id with a wrong secret", async () => {
    const [id = ""] = fixture.server.userKey.split(".");
    await expect(fixture.studio.lease(call(`${id}.wrong-secret`))).rejects.toMatchObject({
      code: "key_refused",
      status: 401,
    });
  });

  it("refuses a revoked key", async () => {
    await expect(fixture.studio.lease(call(fixture.server.revokedKey))).rejects.toMatchObject({
      code: "key_refused",
      status: 401,
    });
  });
}

function leasedJob(fixture: Fixture): void {
  it("has a context with the user's words", async () => {
    const job = await leaseNew(fixture, "Compare three kettles");
    const context = await fixture.studio.context(job);
    expect(context.workspaceId).toBe(job.workspaceId);
    expect(context.messageCount).toBe(1);
    expect(context.recentText).toContain("Compare three kettles");
    expect(context.recentMessages.map((message) => message.text)).toEqual(["Compare three kettles"]);
    await fixture.studio.fail(job, "cleared");
  });

  it("is kept longer by a heartbeat", async () => {
    const workspaceId = await fixture.server.queueJob("Take your time", "user");
    const lease = await fixture.studio.lease(call(fixture.server.userKey));
    const job = { ...call(fixture.server.userKey), workspaceId };
    await systemClock.sleep(20);
    const heartbeat = await fixture.studio.heartbeat(job);
    expect(heartbeat.leaseExpiresAtMs).toBeGreaterThan(lease?.leaseExpiresAtMs ?? Number.POSITIVE_INFINITY);
    await fixture.studio.fail(job, "cleared");
  });

  it("is over once completed: a further heartbeat finds the lease lost", async () => {
    const job = await leaseNew(fixture, "Be quick");
    await fixture.studio.complete(job, {
      ...emptyPayload,
      assistantMessage: "See {{artifact:file:plan.md}}.",
      files: [{ name: "plan.md", content: "# Plan" }],
    });
    await expect(fixture.studio.heartbeat(job)).rejects.toMatchObject({ code: "lease_lost" });
    expect(await fixture.studio.lease(call(fixture.server.userKey))).toBeUndefined();
  });

  it("is over once failed, with a reason of any length", async () => {
    const job = await leaseNew(fixture, "Fail, please");
    await fixture.studio.fail(job, "The model said no. ".repeat(50));
    await expect(fixture.studio.heartbeat(job)).rejects.toMatchObject({ code: "lease_lost" });
    expect(await fixture.studio.lease(call(fixture.server.userKey))).toBeUndefined();
  });

  it("is nobody's when it was never leased", async () => {
    const workspaceId = await fixture.server.queueJob("Not yet", "user");
    const job = { ...call(fixture.server.userKey), workspaceId };
    await expect(fixture.studio.heartbeat(job)).rejects.toMatchObject({ code: "lease_lost" });
    await fixture.studio.lease(call(fixture.server.userKey));
    await fixture.studio.fail(job, "cleared");
  });
}

function refusedPayload(fixture: Fixture): void {
  it("is one over a cap; the job goes on being leased", async () => {
    const job = await leaseNew(fixture, "Too many files");
    const files = Array.from({ length: 25 }, (_, at) => ({ name: `file-${at}.md`, content: "x" }));
    await expect(fixture.studio.complete(job, { ...emptyPayload, files })).rejects.toMatchObject({
      code: "studio_rejected",
    });
    await fixture.studio.heartbeat(job);
    await fixture.studio.complete(job, { ...emptyPayload, files: files.slice(0, 24) });
    await expect(fixture.studio.heartbeat(job)).rejects.toMatchObject({ code: "lease_lost" });
  });

  it("is one with neither a message nor a deliverable", async () => {
    const job = await leaseNew(fixture, "Say nothing");
    await expect(
      fixture.studio.complete(job, { ...emptyPayload, assistantMessage: "" }),
    ).rejects.toMatchObject({
      code: "studio_rejected",
    });
    await fixture.studio.fail(job, "cleared");
  });
}

function runnerInstances(fixture: Fixture): void {
  it("makes a key that works, under a name that can be changed, until it is revoked", async () => {
    const owner = admin(fixture.server.accountToken);
    const made = await fixture.studio.createRunnerInstance(owner, { kind: "user", name: "laptop" });
    expect(made).toMatchObject({ kind: "user", name: "laptop" });
    const maker = { key: made.key, signal: AbortSignal.timeout(10_000) };
    expect(await fixture.studio.lease(maker)).toBeUndefined();
    await fixture.studio.renameRunnerInstance(owner, made.instanceId, "desk");
    await fixture.studio.revokeRunnerInstance(owner, made.instanceId);
    await expect(fixture.studio.lease(maker)).rejects.toMatchObject({ code: "key_refused" });
  });

  it("takes no runner key in the place of an account token", async () => {
    await expect(
      fixture.studio.createRunnerInstance(admin(fixture.server.userKey), { kind: "user" }),
    ).rejects.toMatchObject({ code: "key_refused" });
  });
}

const call = (key: string): Call => ({ key: keyOf(key), signal: AbortSignal.timeout(10_000) });

const admin = (token: string): AdminCall => ({
  accountToken: new Secret(token),
  signal: AbortSignal.timeout(10_000),
});

/** Queues a new job and leases it. */
async function leaseNew({ server, studio }: Fixture, text: string): Promise<JobCall> {
  const workspaceId = await server.queueJob(text, "user");
  const lease = await studio.lease(call(server.userKey));
  expect(lease?.workspaceId).toBe(workspaceId);
  return { ...call(server.userKey), workspaceId };
}

function keyOf(text: string): RunnerKey {
  return { id: text.slice(0, text.indexOf(".")), value: new Secret(text) };
}
