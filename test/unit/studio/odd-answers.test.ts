import { describe, expect, it } from "vitest";
import { answerTo } from "./helpers.ts";

/** The clock of these tests stands at 1,700,000,000,000 (2023-11-14T22:13:20Z). */
const page = "<!doctype html><html><head><title>Welcome</title></head></html>";

describe("a heartbeat answered with 200", () => {
  it.each([
    ["empty", ""],
    ["a text", "OK"],
    ["cut JSON", '{"leaseExpiresAt":17000'],
    ["a number instead of an object", "1700000600000"],
    ["null", "null"],
    ["a list", "[]"],
    ["an object without an end", {}],
    ["an end of null", { leaseExpiresAt: null }],
    ["an end in words", { leaseExpiresAt: "soon" }],
    ["an empty end", { leaseExpiresAt: "" }],
    ["an end of zero", { leaseExpiresAt: 0 }],
    ["a negative end", { leaseExpiresAt: -1_700_000_600_000 }],
    ["an end in nanoseconds", { leaseExpiresAt: 1_700_000_600_000_000_000 }],
    ["an end in seconds, which lies in 1970", { leaseExpiresAt: 1_700_000_600 }],
    ["an infinite end", '{"leaseExpiresAt":1e999}'],
    ["an end more than a day ahead", { leaseExpiresAt: 1_700_086_400_001 }],
    ["an end that has passed", { leaseExpiresAt: 1_699_999_999_999 }],
    ["an end of another type", { leaseExpiresAt: { ms: 1_700_000_600_000 } }],
    ["more than 64 kB", `{"pad":"${"x".repeat(70_000)}","leaseExpiresAt":1700000600000}`],
  ])("succeeds without a new lease end when the body is %s", async (_, body) => {
    expect(await answerTo("heartbeat", { body })).toEqual({ leaseExpiresAtMs: undefined });
  });

  it("succeeds when the body is a web page, but reports that it was a page", async () => {
    const answer = await answerTo("heartbeat", { body: page });
    expect(answer).toEqual({ leaseExpiresAtMs: undefined, isPage: true });
  });

  it.each([
    ["milliseconds", 1_700_000_600_000],
    ["digits", "1700000600000"],
    ["an ISO time", "2023-11-14T22:23:20.000Z"],
    ["an ISO time of another zone", "2023-11-14T23:23:20+01:00"],
  ])("reads the new lease end from %s", async (_, leaseExpiresAt) => {
    const answer = await answerTo("heartbeat", { body: { leaseExpiresAt } });
    expect(answer).toEqual({ leaseExpiresAtMs: 1_700_000_600_000 });
  });

  it("succeeds when the connection breaks in the middle of the body", async () => {
    const answer = await answerTo("heartbeat", {
      raw: (response) => {
        response.writeHead(200, { "content-length": "100", date: "" }).write('{"lease');
        setImmediate(() => response.destroy());
      },
    });
    expect(answer).toEqual({ leaseExpiresAtMs: undefined });
  });
});

describe("a lease", () => {
  const leased = { leased: true, workspaceId: "ws-9" };

  it.each([
    ["is missing", {}],
    ["is in words", { leaseExpiresAt: "soon" }],
    ["is in seconds, which lies in 1970", { leaseExpiresAt: 1_700_000_600 }],
    ["lies more than a day ahead", { leaseExpiresAt: 1_700_086_400_001 }],
  ])("is assumed to last 60 s when its end %s", async (_, end) => {
    const answer = await answerTo("lease", { body: { ...leased, ...end } });
    expect(answer).toMatchObject({ leaseExpiresAtMs: 1_700_000_060_000 });
  });

  it("reads its end from a text, as a heartbeat does", async () => {
    const body = { ...leased, leaseExpiresAt: "2023-11-14T23:23:20+01:00" };
    expect(await answerTo("lease", { body })).toMatchObject({ leaseExpiresAtMs: 1_700_000_600_000 });
  });

  it("is returned unchanged when it has already expired, since starting the run drops it", async () => {
    const answer = await answerTo("lease", { body: { ...leased, leaseExpiresAt: 1_699_999_910_000 } });
    expect(answer).toMatchObject({ leaseExpiresAtMs: 1_699_999_910_000 });
  });
});

describe.each(["complete", "fail", "updateSummary"] as const)("a post to %s", (name) => {
  it.each([
    ["a text", "OK"],
    ["cut JSON", '{"ok":tr'],
    ["more than 64 kB", "x".repeat(70_000)],
  ])("succeeds with 202 when the body is %s", async (_, body) => {
    expect(await answerTo(name, { status: 202, body })).toBeUndefined();
  });

  it("fails with studio_contract when the body is a web page", async () => {
    const answer = answerTo(name, { body: page });
    await expect(answer).rejects.toMatchObject({ code: "studio_contract", status: 200 });
  });
});
