import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../lib/core/clock.ts";
import { dashboardRoutes } from "../../local/dashboard/routes.ts";
import type { DashboardSource } from "../../local/dashboard/source.ts";
import { createRunFeed } from "../../local/runs/feed.ts";
import { runRoutes } from "../../local/runs/routes.ts";
import { fakeSource } from "../support/dashboard-source.ts";
import { detailOf, fakeRuns, runIds, runOf, sourceOf } from "../support/runs-source.ts";
import { everything } from "./every-widget.ts";
import {
  browser,
  completedWorkspace,
  inChromium,
  openPage,
  rig,
  setUpStudio,
  startRig,
  type StudioRig,
} from "./open-page.ts";
import { sampleResult } from "./sample-result.ts";

let source: DashboardSource = everything();
let emptyRig: StudioRig;
let workspaces: { readonly completed: string; readonly failed: string; readonly working: string };

const runs = fakeRuns();
const feed = createRunFeed();
const { signal } = new AbortController();
const runsSource = () => Promise.resolve(sourceOf(runs));

setUpStudio({
  runnerPages: [
    ...dashboardRoutes(systemClock, () => source, { studioUrl: "/" }),
    ...runRoutes({ clock: systemClock, signal, feed, source: runsSource, studioUrl: "/" }),
  ],
  runFeed: feed,
});
beforeAll(async () => {
  emptyRig = await startRig();
  const completed = await completedWorkspace(sampleResult);
  const [failed, working] = [await leased("Draw the impossible"), await leased("Plan a coffee shop")];
  await rig.fail(failed, "The model refused: it draws no impossible things.");
  rig.studio.queueJob({ text: "Compare three countries", title: "Waiting" });
  workspaces = { completed, failed, working };
  const leasedAtMs = Date.now();
  const ended = { leasedAtMs, endedAtMs: leasedAtMs + 1_800 };
  runs.now = {
    cause: "paused",
    sentence: "Paused by kim: the budget is spent.",
    remedy: { text: "To lease jobs again:", command: "resume" },
  };
  runs.detail = detailOf(runOf({ workspaceId: failed, state: "failed", reason: "model_refused", ...ended }));
  runs.rows = [runs.detail, runOf({ runId: runIds[1], workspaceId: completed, ...ended })];
});
// A browser opens only six connections to a server, and each page keeps one.
afterEach(async () => {
  for (const page of browser.pages().slice(1)) await page.close();
});
afterAll(() => emptyRig?.studio.close());

async function leased(text: string): Promise<string> {
  rig.studio.queueJob({ text });
  return rig.lease();
}

/** Opens an address and waits until this text is shown. */
async function at(path: string, text: string | RegExp, where = rig): Promise<Page> {
  const { page } = await openPage(path, where);
  await page.getByText(text).first().waitFor();
  return page;
}

const thread = (id: keyof typeof workspaces) => `#/w/${workspaces[id]}`;

/** Every page and view, by name. A new one is one line here. */
const views: Readonly<Record<string, () => Promise<Page>>> = {
  "the start": () => at("", "Or start with one of these"),
  "the start without workspaces": () => at("", "Or start with one of these", emptyRig),
  "an answer, with the data of a chart": async () => {
    const page = await at(thread("completed"), "breaks even in");
    await page.getByRole("button", { name: "Data" }).first().click();
    return page;
  },
  "a failed job": () => at(thread("failed"), "This job failed"),
  "a job in progress": () => at(thread("working"), "A runner is working on it."),
  "a job that waits": async () => {
    const page = await at("", "Compare three countries");
    await page.getByRole("link", { name: "Waiting" }).click();
    await page.locator(".message-pending").getByText("Paused by kim").waitFor();
    return page;
  },
  "the list of runs": () => at("runs", "Paused by kim"),
  "a run with an open step": async () => {
    const page = await at(`runs/${runIds[0]}`, "Steps");
    await page.locator(".step summary").first().click();
    return page;
  },
  "a run that does not exist": () => at(`runs/${runIds[2]}`, "No run is known"),
  "a workspace that does not exist": () => at("#/w/ws_none", "There is no such workspace."),
  "a search without a result": async () => {
    const page = await at("", "Or start with one of these");
    await page.getByRole("searchbox").fill("nothing like this");
    await page.getByText("No workspace contains").waitFor({ state: "attached" });
    return page;
  },
  "renaming a workspace": async () => {
    const page = await at(thread("failed"), "This job failed");
    await page.getByRole("button", { name: "Rename" }).click();
    return page;
  },
  "deleting a workspace": async () => {
    const page = await at(thread("failed"), "This job failed");
    await page.getByRole("button", { name: "Delete" }).click();
    return page;
  },
  "an enlarged drawing": async () => {
    const page = await at(thread("completed"), "breaks even in");
    await page.getByRole("button", { name: "Enlarge The way of a box" }).click();
    return page;
  },
  "an address without a page": () => at("nothing-here", /nothing/i),
  "the dashboard": async () => {
    source = everything();
    return at("dashboard", "1 in ALARM");
  },
  "an alarm's description": async () => {
    source = everything();
    const page = await at("dashboard", "1 in ALARM");
    await page.getByRole("button", { name: "FailureRate ALARM" }).click();
    return page;
  },
  "a stack without a dashboard": async () => {
    source = fakeSource({ dashboards: () => [] });
    return at("dashboard", "This stack has no dashboard");
  },
  "the runbook": () => at("dashboard/runbook", "Runbook"),
};

/** Each page in both colour schemes and at both widths; not in each combination, which finds nothing more. */
const screens = [
  { name: "light, desktop", colorScheme: "light", size: { width: 1280, height: 860 } },
  { name: "dark, phone", colorScheme: "dark", size: { width: 390, height: 844 } },
] as const;

/** What axe finds, all of its rules included. */
async function findingsOn(page: Page): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { name, colorScheme, size } of screens) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize(size);
    for (const finding of await runAxe(page)) found.push(`${name}: ${finding}`);
  }
  return found;
}

async function runAxe(page: Page): Promise<readonly string[]> {
  // Not in a script tag, which the page's policy refuses.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>(`axe.run({ resultTypes: ["violations"] })`);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target }) => `${id}, ${help}: ${target.join(" ")}`),
  );
}

inChromium("axe", () => {
  test.each(Object.entries(views))("finds nothing to mend on %s", async (_, open) => {
    expect(await findingsOn(await open())).toEqual([]);
  });
});
