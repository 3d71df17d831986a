import { describe, expect, it } from "vitest";
import { contextSchema } from "../../../lib/studio/schemas.ts";
import { noonMs, useFixture } from "./fixture.ts";

const fixture = useFixture({ recentMessages: 2, priorTokens: 5 });

const say = (workspaceId: string, text: string) =>
  fixture.write("POST", `/api/workspaces/${workspaceId}/messages`, { text });
const context = async (workspaceId: string) =>
  (await fixture.post("/getWorkspaceRunnerContext", { workspaceId })).json;
const save = (workspaceId: string, body: object) =>
  fixture.post("/updateWorkspaceRunnerSummary", { workspaceId, ...body });

describe("the context of a job", () => {
  it("has exactly the fields of the API for a first message", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "Plan it.", title: "Trip" });
    await fixture.lease();
    const found = await context(workspaceId);
    expect(found).toEqual({
      workspaceId,
      title: "Trip",
      legacyIdea: null,
      messageCount: 1,
      recentMessages: [
        { id: expect.stringMatching(/^msg_/), role: "user", text: "Plan it.", createdAtMs: noonMs },
      ],
      priorMessages: [],
      recentText: "Plan it.",
      priorTextVerbatim: "",
      recentTokenEstimate: 2,
      priorTokenEstimate: 0,
      priorNeedsSummarization: false,
      storedPriorSummary: null,
      storedSummaryCoversPrior: false,
    });
    expect(contextSchema.safeParse(found).success).toBe(true);
  });

  it("has the idea and no message for a legacy workspace", async () => {
    const workspaceId = fixture.studio.queueJob({ legacyIdea: "A shop for tea" });
    await fixture.lease();
    expect(await context(workspaceId)).toMatchObject({
      legacyIdea: "A shop for tea",
      messageCount: 0,
      recentText: "",
    });
  });
});

describe("the split into recent and prior messages", () => {
  it("keeps the messages of a failed job recent", async () => {
    const workspaceId = await fixture.leaseNew("one");
    await fixture.fail(workspaceId);
    await say(workspaceId, "again");
    await fixture.lease();
    expect(await context(workspaceId)).toMatchObject({ recentText: "one\n\nagain", priorMessages: [] });
  });

  it("makes the oldest of too many unanswered messages prior, and asks for a summary over the token limit", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "x".repeat(10) });
    for (const text of ["y".repeat(9), "three", "four"]) await say(workspaceId, text);
    await fixture.lease();
    expect(await context(workspaceId)).toMatchObject({
      messageCount: 4,
      recentText: "three\n\nfour",
      priorTextVerbatim: "xxxxxxxxxx\n\nyyyyyyyyy",
      priorTokenEstimate: 6,
      priorNeedsSummarization: true,
    });
  });
});

describe("the stored summary", () => {
  it("covers the prior messages only if it spans their first to last id", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "one" });
    for (const text of ["two", "three", "four"]) await say(workspaceId, text);
    await fixture.lease();
    const [first, second] = (await context(workspaceId)).priorMessages;
    const short = { fromMessageId: first.id, throughMessageId: first.id };
    expect((await save(workspaceId, { summaryText: "old", ...short })).json).toEqual({ ok: true });
    expect((await context(workspaceId)).storedSummaryCoversPrior).toBe(false);
    const whole = { fromMessageId: first.id, throughMessageId: second.id };
    await save(workspaceId, { summaryText: "sum", ...whole });
    expect(await context(workspaceId)).toMatchObject({
      storedPriorSummary: { text: "sum", ...whole },
      storedSummaryCoversPrior: true,
    });
  });

  it("may have at most 39,800 UTF-16 units", async () => {
    const workspaceId = await fixture.leaseNew("one");
    const ids = { fromMessageId: "a", throughMessageId: "b" };
    expect((await save(workspaceId, { summaryText: `${"😀".repeat(19_900)}x`, ...ids })).status).toBe(400);
    expect((await save(workspaceId, { summaryText: "😀".repeat(19_900), ...ids })).status).toBe(200);
  });
});

describe("a new message", () => {
  it("joins a job that is still queued", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "one" });
    await say(workspaceId, "two");
    await fixture.lease();
    expect((await context(workspaceId)).recentText).toBe("one\n\ntwo");
    await fixture.complete(workspaceId);
    expect(await fixture.lease()).toEqual({ leased: false });
  });

  it("during a lease is queued, with others, as one more job when that job ends", async () => {
    const workspaceId = await fixture.leaseNew("one");
    await say(workspaceId, "two");
    await say(workspaceId, "three");
    expect(fixture.state()).toBe("leased");
    expect(await fixture.lease()).toEqual({ leased: false });
    expect(await context(workspaceId)).toMatchObject({ messageCount: 1, recentText: "one" });
    await fixture.complete(workspaceId);
    expect(fixture.state()).toBe("queued");
    expect((await fixture.lease()).workspaceId).toBe(workspaceId);
    expect(await context(workspaceId)).toMatchObject({
      messageCount: 3,
      recentText: "two\n\nthree",
      priorTextVerbatim: "one",
      priorNeedsSummarization: false,
    });
    await fixture.complete(workspaceId);
    expect(await fixture.lease()).toEqual({ leased: false });
  });
});
