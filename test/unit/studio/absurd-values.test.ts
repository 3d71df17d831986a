import { describe, expect, it } from "vitest";
import { clockSkewMs } from "../../../lib/studio/skew.ts";
import { script } from "../../support/http-server.ts";
import { context, createScene, jobCall } from "./helpers.ts";

/** The clock of these tests stands at 1,700,000,000,000 (2023-11-14T22:13:20Z). */
const message = { id: "m1", role: "user", text: "Hello" };

/** Answers as JSON text may hold them, which JSON.stringify does not write. */
const asJson = (body: object): string => JSON.stringify(body).replaceAll(/"raw:(.*?)"/g, "$1");

const read = async (changed: object) => {
  const { studio } = await createScene(script({ body: asJson({ ...context, ...changed }) }));
  return await studio.context(jobCall());
};

describe("a message's time", () => {
  it.each([
    ["in nanoseconds", 1_699_999_000_000_000_000],
    ["in microseconds", 1_699_999_000_000_000],
    ["of more than a day ahead", 1_700_086_400_001],
    ["that is negative", -1],
    ["of 1e300", 1e300],
    ["beyond all numbers", "raw:1e999"],
    ["in words", "yesterday"],
    ["that is missing", undefined],
    ["of another type", {}],
  ])("%s is unknown, and the job goes on", async (_, createdAtMs) => {
    const { recentMessages } = await read({ recentMessages: [{ ...message, createdAtMs }] });
    expect(recentMessages[0]?.createdAtMs).toBeUndefined();
  });

  it("may be an ISO time", async () => {
    const { recentMessages } = await read({
      recentMessages: [{ ...message, createdAtMs: "2023-11-14T22:00:00Z" }],
    });
    expect(recentMessages[0]?.createdAtMs).toBe(1_699_999_200_000);
  });
});

describe("numbers that nothing hangs on", () => {
  it.each([-1, 0.5, 1e300, "raw:1e999", "many", null])("%j cost no job", async (number) => {
    const numbers = { messageCount: number, recentTokenEstimate: number, priorTokenEstimate: number };
    const { messageCount, recentText } = await read(numbers);
    expect({ messageCount, recentText }).toEqual({ messageCount: undefined, recentText: "Hello" });
  });
});

describe("a context of many messages", () => {
  it("is told of in a bounded sentence when each of them is wrong", async () => {
    const body = JSON.stringify({ ...context, recentMessages: [] }).replace(
      '"recentMessages":[]',
      `"recentMessages":[${"{},".repeat(30_000)}{}]`,
    );
    const { studio } = await createScene(script({ body }, { body }));
    await expect(studio.context(jobCall())).rejects.toMatchObject({
      code: "studio_contract",
      message: expect.stringContaining(
        "recentMessages: Too big: expected array to have <=20000 items",
      ) as unknown,
    });
  });
});

describe("ids", () => {
  it("of a message longer than 512 bytes are unknown: only the summary needs them", async () => {
    const { priorMessages } = await read({
      priorMessages: [{ ...message, id: "m".repeat(513), createdAtMs: 1 }],
    });
    expect(priorMessages[0]?.id).toBeUndefined();
  });

  it.each([
    ["513 letters", "w".repeat(513)],
    ["257 letters of two bytes", "é".repeat(257)],
    ["half a character", "w\uD83D"],
    ["nothing", ""],
  ])("of a workspace are refused when they are %s: no row could hold them", async (_, workspaceId) => {
    const { studio } = await createScene(
      script({ body: { leased: true, workspaceId, leaseExpiresAt: 1_700_000_600_000 } }),
    );
    await expect(studio.lease(jobCall())).rejects.toMatchObject({ code: "studio_contract" });
  });

  it("of 512 bytes are ids", async () => {
    const body = { leased: true, workspaceId: "é".repeat(256), leaseExpiresAt: 1_700_000_600_000 };
    const { studio } = await createScene(script({ body }));
    expect(await studio.lease(jobCall())).toMatchObject({ workspaceId: "é".repeat(256) });
  });
});

describe("a Date header", () => {
  it.each([
    "Fri, 14 Nov 2003 22:13:20 GMT",
    "Sat, 01 Jan 275760 00:00:00 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Wed, 15 Nov 2023 22:13:22 GMT",
    "1",
  ])("that says %j tells nothing of Studio's clock", (date) => {
    const nowMs = 1_700_000_000_000;
    expect(clockSkewMs({ sentAtMs: nowMs, receivedAtMs: nowMs, date })).toBe(0);
  });
});
