import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { startPagesServer, type PagesServer } from "../../../local/pages-server.ts";
import { createRunFeed } from "../../../local/runs/feed.ts";
import { runRoutes } from "../../../local/runs/routes.ts";
import { detailOf, fakeRuns, runIds, runOf, sourceOf, type FakeRuns } from "../../support/runs-source.ts";
import type { RunsView } from "../../../local/runs/view.ts";

let fake: FakeRuns;
let isReady: boolean;
let server: PagesServer;
let closing: AbortController;
const feed = createRunFeed();

beforeEach(async () => {
  fake = fakeRuns();
  isReady = true;
  closing = new AbortController();
  const source = () => (isReady ? Promise.resolve(sourceOf(fake)) : undefined);
  const { signal } = closing;
  server = await startPagesServer(runRoutes({ clock: systemClock, signal, feed, source, studioUrl: "/" }), 0);
});
afterEach(() => {
  closing.abort();
  return server.close();
});

const get = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);
const post = (path: string, headers: Record<string, string> = {}) =>
  get(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: "{}" });

describe("the API of the pages about runs", () => {
  it("lists runs, by state and by a part of the title, with the rest on further pages", async () => {
    const [oldest, middle, newest] = runIds;
    fake.rows = [
      runOf({ runId: newest, title: "Tea" }),
      runOf({ runId: middle, state: "failed" }),
      runOf({ runId: oldest }),
    ];
    const idsOf = async (query: string): Promise<unknown> => {
      const { runs, next } = (await (await get(`/api/runs${query}`)).json()) as RunsView;
      return [runs.map(({ runId }) => runId), next];
    };
    expect(await idsOf("")).toEqual([[newest, middle], middle]);
    expect(await idsOf(`?before=${middle}`)).toEqual([[oldest], null]);
    expect(await idsOf("?state=failed&q=")).toEqual([[middle], null]);
    expect(await idsOf("?q=tea")).toEqual([[newest], null]);
  });

  it("has a run's details, and the runs of a workspace", async () => {
    fake.rows = [runOf(), runOf({ runId: runIds[1], workspaceId: "ws-2" })];
    fake.detail = detailOf(runOf());
    expect(await (await get(`/api/runs/${runIds[0]}`)).json()).toEqual(fake.detail);
    expect(await (await get("/api/workspaces/ws-2/runs")).json()).toEqual([fake.rows[1]]);
  });

  it("says why a job waits, with the command that helps", async () => {
    fake.now = {
      cause: "paused",
      sentence: "Paused by ann.",
      remedy: { text: "To lease jobs again:", command: "resume" },
    };
    expect(await (await get("/api/runner?workspace=ws-1")).json()).toEqual({
      studioUrl: "/",
      now: fake.now,
      command: "npm run runner -- resume --local",
    });
  });

  it("cancels a run", async () => {
    const answer = await post(`/api/runs/${runIds[0]}/cancel`);
    expect(await answer.json()).toEqual({
      sentence: `Run ${runIds[0]} is cancelled. Its attempt stops at its next heartbeat.`,
    });
    expect(fake.cancelled).toEqual([runIds[0]]);
  });

  it("streams the changes of runs until it closes", async () => {
    const stream = await get("/api/runs/events");
    const fields = { message: "attempt_started", runId: "run-1", workspaceId: "ws-1" };
    feed.observe({
      kind: "log",
      atMs: 0,
      function: "processor",
      requestId: "r",
      stream: "stdout",
      line: JSON.stringify({ level: "INFO", ...fields }),
    });
    const text = stream.text();
    closing.abort();
    const data = JSON.stringify({ runId: "run-1", workspaceId: "ws-1", progress: "Reading the messages" });
    expect(await text).toBe(`retry: 1000\n\nevent: run\ndata: ${data}\n\n`);
  });

  it.each([
    ["/api/runs?state=odd", 400, "state"],
    ["/api/runs?before=odd", 400, "that is no run's id"],
    [`/api/runs?q=${"x".repeat(201)}`, 400, "q"],
    ["/api/runs/odd", 400, "that is no run's id"],
    [`/api/runs/${runIds[2]}`, 404, `No run is known for ${runIds[2]}.`],
    ["/api/workspaces/a%20b/runs", 400, "Give an id"],
    ["/api/runner?workspace=a%20b", 400, "Give an id"],
  ])("refuses %s with %i", async (path, status, words) => {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(words);
  });

  it("answers 503 while the stack starts", async () => {
    isReady = false;
    const answer = await get("/api/runs");
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      error: "The stack is starting. Its runs will be here in a moment.",
    });
  });

  it("takes a cancellation from its own page only", async () => {
    const path = `/api/runs/${runIds[0]}/cancel`;
    expect((await post(path, { origin: "https://evil.example" })).status).toBe(403);
    expect((await get(path, { method: "POST", body: "{}" })).status).toBe(415);
    expect(fake.cancelled).toEqual([]);
  });
});
