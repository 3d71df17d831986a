import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { dashboardRoutes } from "../../../local/dashboard/routes.ts";
import type { DashboardSource } from "../../../local/dashboard/source.ts";
import { startStudio, type LocalStudio } from "../../../local/studio/server.ts";
import { fakeSource } from "../../support/dashboard-source.ts";

const nowMs = 1_800_000_900_000;
const clock = { ...systemClock, now: () => nowMs };

let studio: LocalStudio | undefined;
afterEach(() => studio?.close());

async function serve(source: DashboardSource | undefined) {
  studio = await startStudio({
    file: ":memory:",
    port: 0,
    clock,
    random: () => 0.5,
    accountToken: "account",
    info: { kind: "canned", name: "canned" },
    dashboard: dashboardRoutes({ clock, source: () => source, studioUrl: "/" }),
  });
  const { url } = studio;
  return async (path: string) => {
    const response = await fetch(`${url}${path}`);
    const text = await response.text();
    return { status: response.status, type: response.headers.get("content-type"), text };
  };
}

describe("the dashboard's addresses", () => {
  it("hand out the page, its files and the runbook", async () => {
    const get = await serve(fakeSource());
    for (const path of ["/dashboard", "/dashboard/runbook"]) {
      expect(await get(path)).toMatchObject({ status: 200, type: "text/html; charset=utf-8" });
    }
    for (const path of ["/page/dashboard/main.js", "/page/dashboard/styles.css"]) {
      expect(await get(path)).toMatchObject({ status: 200 });
    }
    const { markdown } = JSON.parse((await get("/api/runbook")).text);
    expect(markdown).toContain("NoGoodPoll");
  });

  it("give the first dashboard over the last 15 minutes unless told otherwise", async () => {
    const get = await serve(fakeSource());
    expect(JSON.parse((await get("/api/dashboard")).text)).toEqual({
      dashboards: [{ name: "one", title: "Pool one" }],
      name: "one",
      startMs: nowMs - 15 * 60_000,
      endMs: nowMs,
      widgets: [],
      alarms: [],
      studioUrl: "/",
    });
    const { startMs } = JSON.parse((await get("/api/dashboard?minutes=1440&name=one")).text);
    expect(startMs).toBe(nowMs - 1_440 * 60_000);
  });

  it.each([
    ["/api/dashboard?name=other", 404, "there is no dashboard other"],
    ["/api/dashboard?minutes=7", 400, "minutes: "],
  ])("refuse %s", async (path, status, sentence) => {
    const get = await serve(fakeSource());
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error).toContain(sentence);
  });

  it("ask for patience while the stack starts", async () => {
    const get = await serve(undefined);
    const answer = await get("/api/dashboard");
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text).error).toBe(
      "The stack is starting. Its dashboard will be available in a moment.",
    );
  });

  it("are told to Studio's page, which then links to them", async () => {
    const get = await serve(fakeSource());
    expect(JSON.parse((await get("/api/info")).text).dashboard).toBe(true);
  });
});
