import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { createHttp, type Http } from "../../lib/http.ts";
import { Secret, type RunnerKey } from "../../lib/secret.ts";
import { createStudio } from "../../lib/studio/client.ts";
import type {
  AdminCall,
  Call,
  CompletePayload,
  JobCall,
  Studio,
  StudioAdmin,
} from "../../lib/studio/studio.ts";

/** A Studio to try, with an empty queue. All texts are as they go over the wire. */
export interface StudioUnderTest {
  readonly baseUrl: string;
  /** A `credentialId.secret` of kind user. */
  readonly userKey: string;
  /** A `credentialId.secret` of kind global. */
  readonly globalKey: string;
  /** A `credentialId.secret` that was revoked. */
  readonly revokedKey: string;
  readonly accountToken: string;
  /** A user's message that waits for a runner; gives the workspace's id. */
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

/** What the runner relies on, for every implementation of Studio. Each test leaves the queue empty. */
export function studioContract(name: string, makeServer: () => Promise<StudioUnderTest>): void {
  describe(`${name} keeps Studio's contract`, () => {
    let server: StudioUnderTest;
    let http: Http;
    let studio: Studio & StudioAdmin;

    beforeAll(async () => {
      server = await makeServer();
      http = createHttp();
      studio = createStudio({
        baseUrl: server.baseUrl,
        fetch: http.fetch,
        clock: systemClock,
        random: Math.random,
      });
    });

    afterAll(async () => {
      await http?.close();
      await server?.close();
    });

    const call = (key: string): Call => ({ key: keyOf(key), signal: AbortSignal.timeout(10_000) });
    const admin = (token: string): AdminCall => ({
      accountToken: new Secret(token),
      signal: AbortSignal.timeout(10_000),
    });

    /** Queues a job of its own and leases it. */
    async function leaseNew(text: string): Promise<JobCall> {
      const workspaceId = await server.queueJob(text, "user");
      const lease = await studio.lease(call(server.userKey));
      expect(lease?.workspaceId).toBe(workspaceId);
      return { ...call(server.userKey), workspaceId };
    }

    describe("leasing", () => {
      it("says that an empty queue is empty", async () => {
        expect(await studio.lease(call(server.userKey))).toBeUndefined();
      });

      it("leases a waiting job once, until a time to come", async () => {
        const workspaceId = await server.queueJob("Write a plan", "user");
        const before = Date.now();
        const lease = await studio.lease(call(server.userKey));
        expect(lease?.workspaceId).toBe(workspaceId);
        expect(lease?.leaseExpiresAtMs).toBeGreaterThan(before);
        expect(await studio.lease(call(server.userKey))).toBeUndefined();
        await studio.fail({ ...call(server.userKey), workspaceId }, "cleared");
      });

      it.each([
        { target: "user", wrong: "globalKey", right: "userKey" },
        { target: "global", wrong: "userKey", right: "globalKey" },
      ] as const)("shows a $target job to no key of the other kind", async ({ target, wrong, right }) => {
        const workspaceId = await server.queueJob("Only for one kind", target);
        expect(await studio.lease(call(server[wrong]))).toBeUndefined();
        expect((await studio.lease(call(server[right])))?.workspaceId).toBe(workspaceId);
        await studio.fail({ ...call(server[right]), workspaceId }, "cleared");
      });
    });

    describe("credentials", () => {
      it("refuses a key that it does not know", async () => {
        await expect(studio.lease(call("nobody.no-such-secret"))).rejects.toMatchObject({
          code: "key_refused",
          status: 401,
        });
      });

      it("refuses a known credential id with a wrong secret", async () => {
        const [id = ""] = server.userKey.split(".");
        await expect(studio.lease(call(`${id}.wrong-secret`))).rejects.toMatchObject({
          code: "key_refused",
          status: 401,
        });
      });

      it("refuses a revoked key", async () => {
        await expect(studio.lease(call(server.revokedKey))).rejects.toMatchObject({
          code: "key_refused",
          status: 401,
        });
      });
    });

    describe("a leased job", () => {
      it("has a context with the user's words", async () => {
        const job = await leaseNew("Compare three kettles");
        const context = await studio.context(job);
        expect(context.workspaceId).toBe(job.workspaceId);
        expect(context.messageCount).toBe(1);
        expect(context.recentText).toContain("Compare three kettles");
        expect(context.recentMessages.map((message) => message.text)).toEqual(["Compare three kettles"]);
        await studio.fail(job, "cleared");
      });

      it("is kept longer by a heartbeat", async () => {
        const workspaceId = await server.queueJob("Take your time", "user");
        const lease = await studio.lease(call(server.userKey));
        const job = { ...call(server.userKey), workspaceId };
        await systemClock.sleep(20);
        const beat = await studio.heartbeat(job);
        expect(beat.leaseExpiresAtMs).toBeGreaterThan(lease?.leaseExpiresAtMs ?? Number.POSITIVE_INFINITY);
        await studio.fail(job, "cleared");
      });

      it("is over once completed: a further heartbeat finds the lease lost", async () => {
        const job = await leaseNew("Be quick");
        await studio.complete(job, {
          ...emptyPayload,
          assistantMessage: "See {{artifact:file:plan.md}}.",
          files: [{ name: "plan.md", content: "# Plan" }],
        });
        await expect(studio.heartbeat(job)).rejects.toMatchObject({ code: "lease_lost" });
        expect(await studio.lease(call(server.userKey))).toBeUndefined();
      });

      it("is over once failed, with a reason of any length", async () => {
        const job = await leaseNew("Fail, please");
        await studio.fail(job, "The model said no. ".repeat(50));
        await expect(studio.heartbeat(job)).rejects.toMatchObject({ code: "lease_lost" });
        expect(await studio.lease(call(server.userKey))).toBeUndefined();
      });

      it("refuses a payload over a cap, and goes on being leased", async () => {
        const job = await leaseNew("Too many files");
        const files = Array.from({ length: 25 }, (_, at) => ({ name: `file-${at}.md`, content: "x" }));
        await expect(studio.complete(job, { ...emptyPayload, files })).rejects.toMatchObject({
          code: "studio_rejected",
        });
        await studio.heartbeat(job);
        await studio.complete(job, { ...emptyPayload, files: files.slice(0, 24) });
        await expect(studio.heartbeat(job)).rejects.toMatchObject({ code: "lease_lost" });
      });

      it("refuses a payload with neither a message nor a deliverable", async () => {
        const job = await leaseNew("Say nothing");
        await expect(studio.complete(job, { ...emptyPayload, assistantMessage: "" })).rejects.toMatchObject({
          code: "studio_rejected",
        });
        await studio.fail(job, "cleared");
      });

      it("is nobody's when it was never leased", async () => {
        const workspaceId = await server.queueJob("Not yet", "user");
        const job = { ...call(server.userKey), workspaceId };
        await expect(studio.heartbeat(job)).rejects.toMatchObject({ code: "lease_lost" });
        await studio.lease(call(server.userKey));
        await studio.fail(job, "cleared");
      });
    });

    describe("runner instances", () => {
      it("makes a key that works, under a name that can be changed, until it is revoked", async () => {
        const owner = admin(server.accountToken);
        const made = await studio.createRunnerInstance(owner, { kind: "user", name: "laptop" });
        expect(made).toMatchObject({ kind: "user", name: "laptop" });
        const maker = { key: made.key, signal: AbortSignal.timeout(10_000) };
        expect(await studio.lease(maker)).toBeUndefined();
        await studio.renameRunnerInstance(owner, made.instanceId, "desk");
        await studio.revokeRunnerInstance(owner, made.instanceId);
        await expect(studio.lease(maker)).rejects.toMatchObject({ code: "key_refused" });
      });

      it("takes no runner key in the place of an account token", async () => {
        await expect(
          studio.createRunnerInstance(admin(server.userKey), { kind: "user" }),
        ).rejects.toMatchObject({ code: "key_refused" });
      });
    });
  });
}

function keyOf(text: string): RunnerKey {
  return { id: text.slice(0, text.indexOf(".")), value: new Secret(text) };
}
