import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contextSchema } from "../../../lib/studio/schemas.ts";
import { type Fixture, messageOnly, noonMs, startFixture } from "./fixture.ts";

let fixture: Fixture;

beforeEach(async () => {
  fixture = await startFixture({ recentMessages: 2, priorTokens: 5 });
});
afterEach(() => fixture.close());

const say = (workspaceId: string, text: string) =>
  fixture.send(`/api/workspaces/${workspaceId}/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });
const lease = () => fixture.post("/leaseWorkspaceJob");
const context = async (workspaceId: string) =>
  (await fixture.post("/getWorkspaceRunnerContext", { workspaceId })).json;
const complete = (workspaceId: string) =>
  fixture.post("/completeWorkspaceJob", { workspaceId, ...messageOnly });

const save = (workspaceId: string, body: object) =>
  fixture.post("/updateWorkspaceRunnerSummary", { workspaceId, ...body });

describe("the context of a job", () => {
  it("has exactly the fields of the API for a first message", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "Plan it.", title: "Trip" });
    await lease();
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

  it("carries a subtitle where there is one", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "Plan", subtitle: "from the phone" });
    await lease();
    expect((await context(workspaceId)).recentMessages[0].subtitle).toBe("from the phone");
  });

  it("has no message and the idea for an old workspace", async () => {
    const workspaceId = fixture.studio.queueJob({ legacyIdea: "A shop for tea" });
    await lease();
    expect(await context(workspaceId)).toMatchObject({
      title: null,
      legacyIdea: "A shop for tea",
      messageCount: 0,
      recentMessages: [],
      recentText: "",
    });
    expect(fixture.studio.snapshot()[0]?.preview).toBe("A shop for tea");
  });
});

describe("recent and prior messages", () => {
  it("calls prior what a completed job has answered, and leaves assistant messages out", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "one" });
    await lease();
    await complete(workspaceId);
    await say(workspaceId, "two");
    await lease();
    expect(await context(workspaceId)).toMatchObject({
      messageCount: 2,
      recentText: "two",
      priorTextVerbatim: "one",
      priorTokenEstimate: 1,
      priorNeedsSummarization: false,
    });
  });

  it("keeps what a failed job left unanswered recent", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "one" });
    await lease();
    await fixture.post("/failWorkspaceJob", { workspaceId, error: "no" });
    await say(workspaceId, "again");
    await lease();
    expect(await context(workspaceId)).toMatchObject({ recentText: "one\n\nagain", priorMessages: [] });
  });

  it("calls the oldest prior when too many are unanswered, and asks for a summary past the limit", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "x".repeat(10) });
    for (const text of ["y".repeat(9), "three", "four"]) await say(workspaceId, text);
    await lease();
    expect(await context(workspaceId)).toMatchObject({
      messageCount: 4,
      recentText: "three\n\nfour",
      priorTextVerbatim: "xxxxxxxxxx\n\nyyyyyyyyy",
      priorTokenEstimate: 6,
      priorNeedsSummarization: true,
    });
  });

  it("leaves out a message that came while the job was leased", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "one" });
    await lease();
    await say(workspaceId, "two");
    expect(await context(workspaceId)).toMatchObject({ messageCount: 1, recentText: "one" });
  });
});

describe("the stored summary", () => {
  it("covers the prior messages only from their first to their last id", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "one" });
    for (const text of ["two", "three", "four"]) await say(workspaceId, text);
    await lease();
    const [first, second] = (await context(workspaceId)).priorMessages;
    const wrong = { summaryText: "old", fromMessageId: first.id, throughMessageId: first.id };
    expect((await save(workspaceId, wrong)).json).toEqual({ ok: true });
    expect((await context(workspaceId)).storedSummaryCoversPrior).toBe(false);
    const right = { summaryText: "sum", fromMessageId: first.id, throughMessageId: second.id };
    await save(workspaceId, right);
    expect(await context(workspaceId)).toMatchObject({
      storedPriorSummary: { text: "sum", fromMessageId: first.id, throughMessageId: second.id },
      storedSummaryCoversPrior: true,
    });
  });

  it("may have 39,800 UTF-16 units and no more", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "one" });
    await lease();
    const ids = { fromMessageId: "a", throughMessageId: "b" };
    expect((await save(workspaceId, { summaryText: `${"😀".repeat(19_900)}x`, ...ids })).status).toBe(400);
    expect((await save(workspaceId, { summaryText: "😀".repeat(19_900), ...ids })).status).toBe(200);
  });
});

describe("messages and jobs", () => {
  it("joins a message to the job that still waits", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "one" });
    await say(workspaceId, "two");
    await lease();
    expect((await context(workspaceId)).recentText).toBe("one\n\ntwo");
    await complete(workspaceId);
    expect((await lease()).json).toEqual({ leased: false });
  });

  it("queues one more job for what came during the lease, when the lease has ended", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "one" });
    await lease();
    await say(workspaceId, "two");
    await say(workspaceId, "three");
    expect(fixture.studio.snapshot()[0]?.state).toBe("leased");
    expect((await lease()).json).toEqual({ leased: false });
    await complete(workspaceId);
    expect(fixture.studio.snapshot()[0]?.state).toBe("queued");
    expect((await lease()).json.workspaceId).toBe(workspaceId);
    expect(await context(workspaceId)).toMatchObject({
      recentText: "two\n\nthree",
      priorTextVerbatim: "one",
    });
    await complete(workspaceId);
    expect((await lease()).json).toEqual({ leased: false });
  });

  it("does not answer an expired job's followers before the job itself", async () => {
    const workspaceId = fixture.studio.queueJob({ text: "one" });
    await lease();
    await say(workspaceId, "two");
    await fixture.clock.advance(600_000);
    await lease();
    expect((await context(workspaceId)).recentText).toBe("one");
  });
});
