import type { Page } from "playwright-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../lib/core/clock.ts";
import { createRunFeed } from "../../local/runs/feed.ts";
import { runRoutes } from "../../local/runs/routes.ts";
import { detailOf, fakeRuns, runIds, runOf, sourceOf, type FakeRuns } from "../support/runs-source.ts";
import { hasFocus, inChromium, openPage, rig, setUpStudio } from "./open-page.ts";

let fake: FakeRuns;
const feed = createRunFeed();
const pages: Page[] = [];
const { signal } = new AbortController();
const source = () => Promise.resolve(sourceOf(fake));

setUpStudio({
  runnerPages: runRoutes({ clock: systemClock, signal, feed, source, studioUrl: "/" }),
  runFeed: feed,
});
beforeEach(() => {
  fake = fakeRuns();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});

async function open(path: string) {
  const opened = await openPage(path);
  pages.push(opened.page);
  return opened;
}

/** A log line of a function, which the pages learn of at once. */
const logged = (message: string, fields: object): void =>
  feed.observe({
    kind: "log",
    atMs: Date.now(),
    function: "processor",
    requestId: "r",
    stream: "stdout",
    line: JSON.stringify({ level: "INFO", message, ...fields }),
  });

const [oldest, middle, newest] = runIds;

inChromium("the list of runs", () => {
  test("shows each run's numbers, keeps the filter and the search in the address, and has older runs on request", async () => {
    fake.rows = [
      runOf({ runId: newest, title: "<b>Tea</b>", state: "failed", reason: "model_refused", attempts: 2 }),
      runOf({ runId: middle }),
      runOf({ runId: oldest, title: "The oldest" }),
    ];
    const { page, complaints } = await open("runs");
    const rows = page.locator(".run-row");
    await rows.nth(1).waitFor();
    expect((await rows.first().locator("th, td").allTextContents()).slice(0, 7)).toEqual([
      "Failed",
      "<b>Tea</b>model_refused",
      "2",
      "3",
      "13k tokens",
      "$0.0042 (invented)",
      "1.8 s",
    ]);
    await page.getByRole("button", { name: "Show more" }).click();
    await page.getByText("The oldest").waitFor();
    await page.getByLabel("Failed").check();
    await expect.poll(() => rows.count()).toBe(1);
    expect(new URL(page.url()).search).toBe("?state=failed");
    await page.getByRole("searchbox").fill("coffee");
    await page.getByText("No run fits.").waitFor();
    await page.reload();
    await page.getByText("No run fits.").waitFor();
    expect(await page.getByRole("searchbox").inputValue()).toBe("coffee");
    expect(complaints).toEqual([]);
  });

  test("says why jobs wait and shows what helps", async () => {
    const remedy = { text: "To lease jobs again:", command: "resume" };
    fake.now = { cause: "paused", sentence: "Paused by ann, 2 min ago: maintenance.", remedy };
    const { page } = await open("runs");
    const runner = page.getByRole("region", { name: "The runner" });
    await runner.getByText("Paused by ann, 2 min ago: maintenance.").waitFor();
    expect(await runner.locator("code").textContent()).toBe("npm run runner -- resume --local");
  });
});

inChromium("the page of a run", () => {
  test("shows its timeline, and the log line behind a step as text", async () => {
    fake.detail = detailOf(runOf({ reason: "model_refused", state: "failed" }), {
      why: "Reason: model_refused",
    });
    const { page, complaints } = await open(`runs/${oldest}`);
    await page.getByRole("heading", { name: "Coffee by post" }).waitFor();
    expect(await page.locator(".run-why").textContent()).toBe("Reason: model_refused");
    expect(await page.locator(".wf-row .wf-name").allTextContents()).toEqual([
      "Round 1a table",
      "1 heartbeat",
    ]);
    const step = page.locator(".step", { hasText: "round 1: the model called 1 tool" });
    await step.locator("summary").focus();
    await page.keyboard.press("Enter");
    await step.getByText('"text": "<b>bold</b>"').waitFor();
    expect(await page.getByRole("link", { name: "Open the workspace" }).getAttribute("href")).toBe(
      "/#/w/ws-1",
    );
    expect(await page.getByRole("button", { name: "Cancel", exact: true }).isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  });

  test("follows the run as it works, and keeps an open step open", async () => {
    const running = runOf({ state: "running", endedAtMs: null, progress: "Round 1: the model is writing" });
    fake.detail = detailOf(running);
    const { page } = await open(`runs/${oldest}`);
    const step = page.locator(".step", { hasText: "round 1: the model called 1 tool" });
    await step.locator("summary").click();
    fake.detail = detailOf({ ...running, progress: "Round 2: drawing a table" });
    logged("tool_called", { runId: oldest, workspaceId: "ws-1", round: 2, tool: "create_table" });
    await page.getByText("Round 2: drawing a table").waitFor();
    expect(await step.locator("pre").isVisible()).toBe(true);
  });

  test("cancels the run after a second question", async () => {
    fake.detail = detailOf(runOf({ state: "running", endedAtMs: null }));
    const { page } = await open(`runs/${oldest}`);
    const cancel = page.getByRole("button", { name: "Cancel", exact: true });
    await cancel.click();
    await page.keyboard.press("Escape");
    expect(await hasFocus(cancel)).toBe(true);
    expect(fake.cancelled).toEqual([]);
    await cancel.click();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.getByText("Its attempt stops at its next heartbeat.").waitFor();
    expect(fake.cancelled).toEqual([oldest]);
  });

  test("says that logs are missing and that a run is not known, and fits on a phone", async () => {
    fake.detail = detailOf(runOf(), { note: "No log lines were found.", log: [] });
    const { page } = await open(`runs/${oldest}`);
    await page.setViewportSize({ width: 390, height: 800 });
    await page.getByText("No log lines were found.").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(390);
    const { page: unknown } = await open(`runs/${newest}`);
    await unknown.getByText(`No run is known for ${newest}.`).waitFor();
  });
});

inChromium("Studio's page", () => {
  test("tells why a job is queued, what its run does, and links its answer to the run's timeline", async () => {
    const remedy = { text: "To lease jobs again:", command: "resume" };
    fake.now = { cause: "paused", sentence: "Paused by ann.", remedy };
    const workspaceId = rig.studio.queueJob({ text: "Plan it" });
    const { page, complaints } = await open(`#/w/${workspaceId}`);
    const pending = page.locator(".message-pending");
    await pending.getByText("Paused by ann.").waitFor();
    expect(await pending.locator("code").textContent()).toBe("npm run runner -- resume --local");

    fake.rows = [runOf({ workspaceId, state: "running", leasedAtMs: Date.now() - 5_000, endedAtMs: null })];
    await rig.lease();
    logged("tool_called", { runId: oldest, workspaceId, round: 2, tool: "create_table" });
    await pending.getByText("Round 2: drawing a table").waitFor();
    await pending.getByRole("button", { name: "Cancel", exact: true }).click();
    await pending.getByRole("button", { name: "Cancel the job" }).click();
    await expect.poll(() => fake.cancelled).toEqual([oldest]);

    fake.rows = fake.rows.map((row) => ({ ...row, state: "failed", endedAtMs: row.leasedAtMs + 1_800 }));
    await rig.fail(workspaceId, "ann cancelled this job.");
    const line = page.locator(".message-failure .run-line");
    await expect
      .poll(() => line.textContent())
      .toBe("3 rounds · 13k tokens · $0.0042 (invented) · 1.8 s · timeline");
    expect(await line.getByRole("link").getAttribute("href")).toBe(`/runs/${oldest}`);
    expect(await pending.count()).toBe(0);

    await page.getByRole("button", { name: "Retry" }).click();
    fake.rows = [
      runOf({ runId: newest, workspaceId, state: "running", endedAtMs: null, leasedAtMs: Date.now() }),
      ...fake.rows,
    ];
    await rig.lease();
    logged("tool_called", { runId: newest, workspaceId, round: 1, tool: "create_list" });
    await pending.getByText("Round 1: writing a list").waitFor();
    expect(await pending.getByText("Its attempt stops at its next heartbeat.").count()).toBe(0);
    await pending.getByRole("button", { name: "Cancel", exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });
});
