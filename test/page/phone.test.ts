import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { completedWorkspace, hasFocus, inChromium, openPage, setUpStudio } from "./open-page.ts";
import { sampleResult } from "./sample-result.ts";

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
let page: Page;

setUpStudio({}, phone);
beforeAll(async () => {
  await completedWorkspace(sampleResult, "Launch of a coffee subscription in Hamburg and Berlin");
  ({ page } = await openPage());
});

/** Elements that overflow to the right, except inside regions that scroll on their own. */
const overflowing = () =>
  page.evaluate<string[]>(`[...document.querySelectorAll("body *")]
    .filter((one) => one.checkVisibility() && !one.closest(".grid-scroll, .scroll-x, pre, .visually-hidden"))
    .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map((one) => one.tagName + "." + one.className)`);
const width = () =>
  page.evaluate(
    "[document.documentElement.scrollWidth, document.querySelector('.thread-scroll')?.scrollWidth ?? 0]",
  );

inChromium("the page on a phone", () => {
  test("shows either the list or one workspace", async () => {
    await page.locator("#workspaces a").tap();
    await page.locator(".card").first().waitFor();
    expect(await page.locator("#workspaces").isVisible()).toBe(false);
    await page.getByRole("link", { name: "All workspaces" }).tap();
    await page.locator("#workspaces a").waitFor();
    expect(await page.locator("#main").isVisible()).toBe(false);
    expect(await hasFocus(page.locator("#workspaces a"))).toBe(true);
  });

  test("has room to write, and does not scroll sideways with the list, a new workspace or an answer", async () => {
    await expect.poll(overflowing).toEqual([]);
    await page.getByRole("link", { name: "New workspace" }).tap();
    expect((await page.locator(".welcome textarea").boundingBox())?.height).toBeGreaterThan(80);
    await expect.poll(overflowing).toEqual([]);
    await page.goBack();
    await page.locator("#workspaces a").tap();
    await page.locator(".card").last().waitFor();
    await expect.poll(overflowing).toEqual([]);
    await expect.poll(width).toEqual([390, 390]);
    await page.setViewportSize({ width: 360, height: 780 });
    await expect.poll(width).toEqual([360, 360]);
    await page.setViewportSize(phone.viewport);
  });

  test("scrolls a wide table inside its card", async () => {
    const [inner, outer] = await page.evaluate<number[]>(
      `[document.querySelector(".card-table .grid-scroll")].flatMap((one) => [one.scrollWidth, one.clientWidth])`,
    );
    expect(outer).toBeLessThanOrEqual(358);
    expect(inner).toBeGreaterThan(outer ?? 0);
  });
});
