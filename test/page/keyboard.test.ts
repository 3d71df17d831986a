import type { Locator, Page } from "playwright-core";
import { expect, test } from "vitest";
import { systemClock } from "../../lib/core/clock.ts";
import { createRunFeed } from "../../local/runs/feed.ts";
import { runRoutes } from "../../local/runs/routes.ts";
import { detailOf, fakeRuns, runOf, sourceOf } from "../support/runs-source.ts";
import { hasFocus, inEveryBrowser, openPage, rig, setUpStudio } from "./open-page.ts";
import { sampleResult } from "./sample-result.ts";

const fake = fakeRuns();
const feed = createRunFeed();
const { signal } = new AbortController();
const source = () => Promise.resolve(sourceOf(fake));

setUpStudio({
  runnerPages: runRoutes({ clock: systemClock, signal, feed, source, studioUrl: "/" }),
  runFeed: feed,
});

/** Fails when it takes more presses than a patient person has. */
const mostPresses = 60;

async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let presses = 0; presses < mostPresses && !(await hasFocus(target)); presses += 1)
    await page.keyboard.press("Tab");
  expect(await hasFocus(target)).toBe(true);
}

inEveryBrowser("the keyboard alone", () => {
  test("is enough from composing a message to reading the timeline of its run", async () => {
    const { page, complaints } = await openPage();
    await tabTo(page, page.getByLabel("Message", { exact: true }));
    await page.keyboard.type("Plan a coffee subscription");
    await page.keyboard.press("Enter");
    await page.locator(".message-pending").waitFor();

    const workspaceId = await rig.lease();
    const times = { leasedAtMs: Date.now(), endedAtMs: Date.now() + 1_800 };
    fake.detail = detailOf(runOf({ workspaceId, ...times }));
    fake.rows = [fake.detail];
    await rig.complete(workspaceId, sampleResult);
    const timeline = page.locator(".message-assistant").getByRole("link", { name: "timeline" });
    await tabTo(page, timeline);
    await page.keyboard.press("Enter");

    await page.getByRole("heading", { name: "Coffee by post" }).waitFor();
    await tabTo(page, page.locator(".step summary").first());
    await page.keyboard.press("Enter");
    await page.getByText('"message": "round_ended"').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });
});
