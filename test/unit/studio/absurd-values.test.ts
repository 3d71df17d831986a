import { describe, expect, it } from "vitest";
import { script } from "../../support/http-server.ts";
import { answerTo, context, createFixture, jobCall } from "./helpers.ts";

/** The clock of these tests stands at 1,700,000,000,000 (2023-11-14T22:13:20Z). */
const message = { id: "m1", role: "user", text: "Hello" };

/** Answers as JSON text may hold them, which JSON.stringify does not write. */
const asJson = (body: object): string => JSON.stringify(body).replaceAll(/"raw:(.*?)"/g, "$1");

const read = async (changed: object) => {
  const { studio } = await createFixture(script({ body: asJson({ ...context, ...changed }) }));
  return await studio.context(jobCall());
};

describe("a message's time", () => {
  it.each([
    ["in microseconds", 1_699_999_000_000_000],
    ["more than a day ahead", 1_700_086_400_001],
    ["negative", -1],
    ["an infinite number", "raw:1e999"],
    ["in words", "yesterday"],
    ["missing", undefined],
    ["of another type", {}],
  ])("is unknown when it is %s, and the context is accepted", async (_, createdAtMs) => {
    const { recentMessages } = await read({ recentMessages: [{ ...message, createdAtMs }] });
    expect(recentMessages[0]?.createdAtMs).toBeUndefined();
  });

  it("may be an ISO time", async () => {
    const createdAtMs = "2023-11-14T22:00:00Z";
    const { recentMessages } = await read({ recentMessages: [{ ...message, createdAtMs }] });
    expect(recentMessages[0]?.createdAtMs).toBe(1_699_999_200_000);
  });
});

describe("a context's message count and token estimates", () => {
  it.each([-1, 0.5, 1e300, "raw:1e999", "many", null])("are ignored when they are %j", async (number) => {
    const numbers = { messageCount: number, recentTokenEstimate: number, priorTokenEstimate: number };
    const { messageCount, recentText } = await read(numbers);
    expect({ messageCount, recentText }).toEqual({ messageCount: undefined, recentText: "Hello" });
  });
});

it("a context of 30,000 malformed messages is rejected with one short message", async () => {
  const recentMessages = Array.from({ length: 30_000 }, () => ({}));
  const tooMany: unknown = expect.stringContaining("expected array to have <=20000 items");
  const answer = answerTo("context", { body: { ...context, recentMessages } });
  await expect(answer).rejects.toMatchObject({ code: "studio_contract", message: tooMany });
});

describe("an id", () => {
  it("of a message is unknown when it exceeds 512 bytes, since only the summary needs it", async () => {
    const { priorMessages } = await read({ priorMessages: [{ ...message, id: "m".repeat(513) }] });
    expect(priorMessages[0]?.id).toBeUndefined();
  });

  it.each([
    ["513 letters", "w".repeat(513)],
    ["257 letters of two bytes", "é".repeat(257)],
    ["half of a surrogate pair", "w\uD83D"],
    ["empty", ""],
  ])("of a workspace is rejected when it is %s, since no row could hold it", async (_, workspaceId) => {
    const answer = answerTo("lease", { body: { leased: true, workspaceId } });
    await expect(answer).rejects.toMatchObject({ code: "studio_contract" });
  });

  it("of a workspace may have 512 bytes", async () => {
    const workspaceId = "é".repeat(256);
    const answer = await answerTo("lease", { body: { leased: true, workspaceId } });
    expect(answer).toMatchObject({ workspaceId });
  });
});
