import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { dashboardRoutes } from "../../../local/dashboard/routes.ts";
import { startDashboardServer, type DashboardServer } from "../../../local/dashboard/server.ts";
import { fakeSource } from "../../support/dashboard-source.ts";

let server: DashboardServer;
beforeEach(async () => {
  const routes = dashboardRoutes({
    clock: systemClock,
    source: () => fakeSource(),
    studioUrl: "https://studio.example.com",
  });
  server = await startDashboardServer(routes, 0);
});
afterEach(() => server.close());

const get = (path: string, init: RequestInit = {}) =>
  fetch(`${server.url}${path}`, { redirect: "manual", ...init });

describe("the dashboard beside a Studio elsewhere", () => {
  it("leads from the bare address to the page", async () => {
    const answer = await get("/");
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toBe("/dashboard");
  });

  it("hands out the page, its files and its data, with a link to that Studio", async () => {
    expect((await get("/dashboard")).status).toBe(200);
    expect((await get("/page/vendor/chart.js")).headers.get("content-type")).toBe(
      "text/javascript; charset=utf-8",
    );
    expect(JSON.parse(await (await get("/api/dashboard")).text())).toMatchObject({
      name: "one",
      studioUrl: "https://studio.example.com",
    });
  });

  it("answers no other site, and nothing but reads", async () => {
    expect((await get("/api/dashboard", { headers: { origin: "https://evil.example" } })).status).toBe(403);
    expect((await get("/dashboard", { method: "DELETE" })).status).toBe(405);
    expect((await get("/api/workspaces")).status).toBe(404);
  });
});
