import { describe, expect, it } from "vitest";
import { script } from "../../support/http-server.ts";
import { calls, createScene, jobCall } from "./helpers.ts";

/** The clock of these tests stands at 1,700,000,000,000 (2023-11-14T22:13:20Z). */
const page = "<!doctype html><html><head><title>Welcome</title></head></html>";

describe("a heartbeat that Studio accepted", () => {
  it.each([
    ["a text", "OK"],
    ["cut JSON", '{"leaseExpiresAt":17000'],
    ["a number instead of an object", "1700000600000"],
    ["null", "null"],
    ["a list", "[]"],
    ["an end in words", { leaseExpiresAt: "soon" }],
    ["an empty end", { leaseExpiresAt: "" }],
    ["an end of zero", { leaseExpiresAt: 0 }],
    ["a negative end", { leaseExpiresAt: -1_700_000_600_000 }],
    ["an end in nanoseconds", { leaseExpiresAt: 1_700_000_600_000_000_000 }],
    ["an end in seconds, which lies in 1970", { leaseExpiresAt: 1_700_000_600 }],
    ["an end beyond all numbers", '{"leaseExpiresAt":1e999}'],
    ["an end more than a day ahead", { leaseExpiresAt: 1_700_086_400_001 }],
    ["an end that has passed", { leaseExpiresAt: 1_699_999_999_999 }],
    ["an end of another type", { leaseExpiresAt: { ms: 1_700_000_600_000 } }],
    ["more than 64 kB", `{"pad":"${"x".repeat(70_000)}","leaseExpiresAt":1700000600000}`],
  ])("has succeeded without a new end when the answer is %s", async (_, body) => {
    const { studio } = await createScene(script({ body }));
    expect(await studio.heartbeat(jobCall())).toEqual({ leaseExpiresAtMs: undefined });
  });

  it("has succeeded when a web page answers, and says so: it proves nothing of the key", async () => {
    const { studio } = await createScene(script({ body: page }));
    expect(await studio.heartbeat(jobCall())).toEqual({ leaseExpiresAtMs: undefined, isPage: true });
  });

  it.each([
    ["digits", "1700000600000"],
    ["an ISO time", "2023-11-14T22:23:20.000Z"],
    ["an ISO time of another zone", "2023-11-14T23:23:20+01:00"],
  ])("has its new end from %s", async (_, leaseExpiresAt) => {
    const { studio } = await createScene(script({ body: { leaseExpiresAt } }));
    expect(await studio.heartbeat(jobCall())).toEqual({ leaseExpiresAtMs: 1_700_000_600_000 });
  });

  it("has succeeded when its answer breaks off in the middle", async () => {
    const { studio } = await createScene(() => ({
      raw: (response) => {
        response.writeHead(200, { "content-length": "100", date: "" }).write('{"lease');
        setImmediate(() => response.destroy());
      },
    }));
    expect(await studio.heartbeat(jobCall())).toEqual({ leaseExpiresAtMs: undefined });
  });
});

describe("a lease without a usable end", () => {
  it.each([
    ["is missing", {}],
    ["is null", { leaseExpiresAt: null }],
    ["is in words", { leaseExpiresAt: "soon" }],
    ["is in nanoseconds", { leaseExpiresAt: 1_700_000_600_000_000_000 }],
    ["is in seconds, which lies in 1970", { leaseExpiresAt: 1_700_000_600 }],
    ["lies more than a day ahead", { leaseExpiresAt: 1_700_086_400_001 }],
    ["is negative", { leaseExpiresAt: -5 }],
  ])("is assumed to last 60 s when the end %s", async (_, end) => {
    const body = { leased: true, workspaceId: "ws-9", workspace: {}, ...end };
    const { studio } = await createScene(script({ body }));
    expect(await studio.lease(jobCall())).toEqual({
      workspaceId: "ws-9",
      leaseExpiresAtMs: 1_700_000_060_000,
      skewMs: 0,
    });
  });
});

describe("a lease", () => {
  it.each([
    ["digits", "1700000600000"],
    ["an ISO time", "2023-11-14T22:23:20Z"],
  ])("has its end from %s", async (_, leaseExpiresAt) => {
    const body = { leased: true, workspaceId: "ws-9", leaseExpiresAt };
    const { studio } = await createScene(script({ body }));
    expect(await studio.lease(jobCall())).toMatchObject({ leaseExpiresAtMs: 1_700_000_600_000 });
  });

  it("that is over already is handed out as it is: its starter lets it go", async () => {
    const body = { leased: true, workspaceId: "ws-9", leaseExpiresAt: 1_699_999_910_000 };
    const { studio } = await createScene(script({ body }));
    expect(await studio.lease(jobCall())).toMatchObject({ leaseExpiresAtMs: 1_699_999_910_000 });
  });
});

const accepting = ["complete", "fail", "updateSummary"] as const;

describe.each(accepting)("a post to %s", (name) => {
  it.each([
    ["a text", "OK"],
    ["cut JSON", '{"ok":tr'],
    ["more than 64 kB", "x".repeat(70_000)],
  ])("is accepted with 2xx when the answer is %s", async (_, body) => {
    const { studio } = await createScene(script({ status: 202, body }));
    expect(await calls[name](studio)).toBeUndefined();
  });

  it("may not have arrived when a web page answers", async () => {
    const { studio } = await createScene(script({ body: page }));
    await expect(calls[name](studio)).rejects.toMatchObject({ code: "studio_contract", status: 200 });
  });
});
