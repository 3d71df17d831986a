import { request as httpRequest } from "node:http";
import { describe, expect, it } from "vitest";
import { createFakeClock } from "../../support/fake-clock.ts";
import { rawRequest } from "../../support/raw-request.ts";
import { noonMs, startFixture, useFixture } from "./fixture.ts";

const fixture = useFixture();

describe("the page's API", () => {
  it("creates a workspace with its message queued", async () => {
    const reply = await fixture.write("POST", "/api/workspaces", { text: " Plan \n a trip ", title: "Trip" });
    expect(reply.status).toBe(201);
    const { workspaceId, messages } = reply.json;
    expect(reply.json).toEqual({
      workspaceId: expect.stringMatching(/^ws_/),
      title: "Trip",
      target: "user",
      state: "queued",
      leases: 0,
      failure: null,
      updatedAtMs: noonMs,
      preview: "Plan a trip",
      messages: [{ role: "user", id: messages[0].id, text: "Plan \n a trip", createdAtMs: noonMs }],
    });
    expect((await fixture.send(`/api/workspaces/${workspaceId}`)).json).toEqual(reply.json);
  });

  it.each([{}, { text: "  " }, { text: 5 }, { text: "x", target: "mars" }, { text: "x".repeat(100_001) }])(
    "rejects an invalid new workspace (%#)",
    async (body) => {
      const reply = await fixture.write("POST", "/api/workspaces", body);
      expect([reply.status, typeof reply.json.error]).toEqual([400, "string"]);
    },
  );
});

describe("the page's routes", () => {
  it("reject unknown workspaces, paths and methods", async () => {
    expect((await fixture.send("/api/workspaces/none")).status).toBe(404);
    expect((await fixture.write("POST", "/api/workspaces/none/messages", { text: "x" })).status).toBe(404);
    expect((await fixture.send("/api/nothing")).status).toBe(404);
    expect((await fixture.send("/api/workspaces/%E0%A4%A")).status).toBe(404);
    const reply = await fixture.send("/api/info", { method: "DELETE" });
    expect([reply.status, reply.headers.get("allow")]).toEqual([405, "GET"]);
  });
});

describe("daily limits", () => {
  it("reject a job over its target's limit until the next UTC day", async () => {
    const clock = createFakeClock(noonMs + 12 * 3_600_000 - 1_500);
    const limited = await startFixture({ clock, dailyLimits: { user: 2, global: 1 } });
    const queue = (body: object) => limited.write("POST", "/api/workspaces", { text: "x", ...body });
    expect([(await queue({})).status, (await queue({})).status]).toEqual([201, 201]);
    const refused = await queue({});
    expect(refused.status).toBe(429);
    expect(refused.json.error).toBe(
      "The daily limit of 2 user jobs is used up. It resets at 2025-11-21T00:00:00.000Z.",
    );
    expect(refused.headers.get("retry-after")).toBe("2");
    expect(limited.studio.snapshot()).toHaveLength(2);
    expect((await queue({ target: "global" })).status).toBe(201);
    await clock.advance(1_500);
    expect((await queue({})).status).toBe(201);
    await limited.close();
  });

  it("do not count a message that joins a waiting job", async () => {
    const limited = await startFixture({ dailyLimits: { user: 1 } });
    const workspaceId = limited.studio.queueJob({ text: "one" });
    const say = () => limited.write("POST", `/api/workspaces/${workspaceId}/messages`, { text: "more" });
    expect((await say()).status).toBe(201);
    await limited.lease();
    expect((await say()).status).toBe(429);
    await limited.close();
  });
});

describe("the page's files", () => {
  it.each([
    "/page/../server.ts",
    "/page/%2e%2e/server.ts",
    "/page/..%2fserver.ts",
    "/page/%2e%2e%2f%2e%2e%2f%2e%2e%2fpackage.json",
    "/page//etc/passwd",
    "/page/%2fetc%2fpasswd",
    "/page/vendor/other.js",
    "/page/",
    "/page/%00",
    "/page/%E0%A4%A",
    "//",
  ])("%s is not found", async (path) => {
    // fetch would resolve the dots.
    const { port } = fixture.studio;
    const status = await new Promise((resolve, reject) => {
      const call = httpRequest({ port, host: "127.0.0.1", path }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on("error", reject).end();
    });
    expect(status).toBe(404);
  });

  it("have a content security policy against inline scripts and foreign resources", async () => {
    const policy = (await fixture.send("/api/info")).headers.get("content-security-policy") ?? "";
    expect(policy.split("; ").slice(0, 3)).toEqual([
      "default-src 'self'",
      "img-src 'self' data: blob:",
      "style-src 'self' 'unsafe-inline'",
    ]);
    expect(policy).not.toContain("script-src");
  });
});

describe("other sites in the same browser", () => {
  it.each([
    [403, { origin: "https://evil.example", "content-type": "application/json" }],
    [415, { "content-type": "text/plain" }],
  ])("cannot write: %i for %j", async (status, headers) => {
    const call = { method: "POST", headers, body: '{"text":"x"}' };
    expect((await rawRequest(`${fixture.studio.url}/api/workspaces`, call)).status).toBe(status);
    expect(fixture.studio.snapshot()).toEqual([]);
  });

  it.each([
    ["GET", "/api/workspaces", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
    ["GET", "/api/events", { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" }],
    ["GET", "/page/main.js", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
    ["POST", "/api/workspaces", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }],
    ["DELETE", "/_local/faults", { "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" }],
  ])("cannot request %s %s, which the browser marks with %j", async (method, path, headers) => {
    const call = { method, headers: { ...headers, "content-type": "application/json" } };
    const body = method === "POST" ? { body: '{"text":"x"}' } : {};
    const answer = await rawRequest(`${fixture.studio.url}${path}`, { ...call, ...body });
    expect(answer.status).toBe(403);
    expect(fixture.studio.snapshot()).toEqual([]);
  });

  it.each([
    [{ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }],
    [{ "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }],
    [{ "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" }],
  ])("can link to the page, which the browser requests with %j", async (headers) => {
    expect((await rawRequest(`${fixture.studio.url}/`, { headers })).status).toBe(200);
  });
});
