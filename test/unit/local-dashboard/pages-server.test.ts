import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { dashboardRoutes } from "../../../local/dashboard/routes.ts";
import { startPagesServer, type PagesServer } from "../../../local/pages-server.ts";
import { fakeSource } from "../../support/dashboard-source.ts";

const nowMs = 1_800_000_900_000;
const studioUrl = "https://studio.example.com";

let server: PagesServer;
let isReady = true;
beforeEach(async () => {
  isReady = true;
  const clock = { ...systemClock, now: () => nowMs };
  const source = () => (isReady ? fakeSource() : undefined);
  server = await startPagesServer(dashboardRoutes(clock, source, { studioUrl }), 0);
});
afterEach(() => server.close());

const get = (path: string, init: RequestInit = {}) =>
  fetch(`${server.url}${path}`, { redirect: "manual", ...init });

describe("the dashboard's server", () => {
  it("returns the first dashboard over the last 15 minutes by default", async () => {
    expect(await (await get("/api/dashboard")).json()).toEqual({
      dashboards: [{ name: "one", title: "Pool one" }],
      name: "one",
      startMs: nowMs - 15 * 60_000,
      endMs: nowMs,
      widgets: [],
      alarms: [],
      studioUrl,
    });
    const day = await (await get("/api/dashboard?minutes=1440&name=one")).json();
    expect(day).toMatchObject({ startMs: nowMs - 1_440 * 60_000 });
  });

  it.each([
    ["/api/dashboard?name=other", 404, "there is no dashboard other"],
    ["/api/dashboard?minutes=7", 400, "minutes: "],
  ])("rejects %s", async (path, status, sentence) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(sentence);
  });

  it("answers 503 while the stack starts", async () => {
    isReady = false;
    const answer = await get("/api/dashboard");
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain(
      "The stack is starting. Its dashboard will be available in a moment.",
    );
  });

  it("rejects requests from other sites and requests that are not reads", async () => {
    expect((await get("/api/dashboard", { headers: { origin: "https://evil.example" } })).status).toBe(403);
    expect((await get("/dashboard", { method: "DELETE" })).status).toBe(405);
    expect((await get("/api/workspaces")).status).toBe(404);
  });
});
