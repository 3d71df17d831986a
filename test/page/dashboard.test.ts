import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../lib/core/clock.ts";
import { dashboardRoutes } from "../../local/dashboard/routes.ts";
import type { DashboardSource } from "../../local/dashboard/source.ts";
import { alarmNamed, fakeSource } from "../support/dashboard-source.ts";
import {
  everything,
  everyWidget,
  lately,
  lineWidget,
  paused,
  place,
  runnerRoute,
  working,
} from "./every-widget.ts";
import { inChromium, inEveryBrowser, openPage, setUpStudio } from "./open-page.ts";

let source: DashboardSource;
let runner = working;
const pages: Page[] = [];

setUpStudio({
  runnerPages: [...dashboardRoutes(systemClock, () => source, { studioUrl: "/" }), runnerRoute(() => runner)],
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});

async function open(path = "dashboard") {
  const opened = await openPage(path);
  pages.push(opened.page);
  return opened;
}

inEveryBrowser("the dashboard page", () => {
  test("draws every kind of widget, each in its place on the grid", async () => {
    source = everything();
    const { page, complaints } = await open();
    const widget = (title: string) => page.locator(".widget", { hasText: title }).first();
    await widget("Heartbeats").locator("canvas").waitFor();
    expect(await page.locator(".widget-text h2").textContent()).toBe("Is it working ");
    expect(await widget("Heartbeats").locator("canvas").getAttribute("aria-label")).toBe(
      "Heartbeats · good: some. accepted: last 2",
    );
    expect(await widget("Counts").locator("canvas").getAttribute("aria-label")).toBe("Counts. accepted: 7");
    expect(await widget("Number").locator(".number-value").textContent()).toBe("2");
    expect(await widget("Gauge").locator(".gauge-figure").textContent()).toBe("2");
    expect(await widget("Bar").locator(".bar-figure").textContent()).toBe("2");
    expect(await widget("Pie").locator(".legend-value").textContent()).toBe("2 · 100%");
    expect(await widget("Failures").locator("tbody td").allTextContents()).toEqual([
      "<i>timeout</i>",
      "ws_302e3f89",
    ]);
    expect(await widget("Failures").getByRole("link").getAttribute("href")).toBe("/#/w/ws_302e3f89-3349");
    expect(await widget("Nothing").locator(".widget-body").textContent()).toContain(
      "Nothing in the last 15 minutes.",
    );
    expect(await widget("Explorer").locator(".problem").textContent()).toBe(
      "Not drawn here: Widgets of type “explorer” are not drawn here.",
    );

    const [left, right] = await Promise.all([
      widget("Heartbeats").boundingBox(),
      widget("Counts").boundingBox(),
    ]);
    expect(right?.y).toBe(left?.y);
    expect(right?.width).toBeCloseTo(left?.width ?? 0, 0);
    expect(right?.x).toBeGreaterThan((left?.x ?? 0) + (left?.width ?? 0));
    expect(complaints).toEqual([]);
  });

  test("says whether the runner works, and while it is paused, why and what to do", async () => {
    source = everything();
    const { page } = await open();
    const banner = page.getByRole("region", { name: "The runner" });
    await banner.waitFor();
    expect(await banner.textContent()).toBe("Working: 1 of at most 4 runs in flight.");
    runner = paused;
    await page.reload();
    await banner.getByText("To lease jobs again:").waitFor();
    runner = working;
    expect(await banner.getByRole("paragraph").first().textContent()).toBe(
      "Paused by kim, 5 min ago: the budget is spent.",
    );
    expect(await banner.locator("code").textContent()).toBe("npm run runner -- resume --local");
  });

  test("shows an alarm's description with a link to its runbook entry", async () => {
    source = everything();
    const { page } = await open();
    expect(await page.locator(".top-alarms").textContent()).toBe("1 in ALARM");
    await page.getByRole("button", { name: "FailureRate ALARM" }).click();
    const dialog = page.getByRole("dialog", { name: "FailureRate" });
    expect(await dialog.textContent()).toContain("Too many jobs fail.");
    expect(await dialog.locator("code").textContent()).toBe("npm run runner -- jobs --local");
    expect(await dialog.getByRole("link").getAttribute("href")).toBe("/dashboard/runbook#failurerate");
    const { page: runbook, complaints } = await open("dashboard/runbook#failurerate");
    await runbook.locator("#failurerate").waitFor();
    expect(
      await runbook.evaluate("document.querySelector('#failurerate').getBoundingClientRect().top"),
    ).toBeLessThan(400);
    expect(complaints).toEqual([]);
  });

  test("links to Studio's page, which links back", async () => {
    source = everything();
    const { page } = await open();
    await page.getByRole("link", { name: "Studio" }).click();
    await page.getByRole("link", { name: "Dashboard" }).click();
    await page.locator(".widget").first().waitFor();
    expect(new URL(page.url()).pathname).toBe("/dashboard");
  });
});

inChromium("the dashboard page, as it changes,", () => {
  test("keeps its elements and the focus while values change", async () => {
    source = everything();
    const { page } = await open();
    await page.clock.install();
    await page.reload();
    await page.locator(".number-value").waitFor();
    await page.getByRole("button", { name: "Page OK" }).focus();
    await page.evaluate("window.before = [...document.querySelectorAll('.widget, canvas, .grid-scroll')]");
    source = fakeSource({
      widgets: everyWidget,
      alarms: [alarmNamed("FailureRate"), alarmNamed("Page", { state: "ALARM" })],
      series: { m: [{ label: "accepted", points: lately([4, 2, 9]) }] },
      queryLogs: () => ({ columns: ["reason", "runs"], rows: [["killed", "8"]] }),
    });
    await page.clock.fastForward(5_000);
    await expect.poll(() => page.locator(".number-value").textContent()).toBe("9");
    expect(await page.locator("tbody td").first().textContent()).toBe("killed");
    expect(await page.evaluate("window.before.every((element) => element.isConnected)")).toBe(true);
    expect(await page.evaluate("document.activeElement.getAttribute('data-alarm')")).toBe("Page");
  });

  test("requests the selected time range, and keeps it after a reload", async () => {
    const asking = fakeSource({ widgets: [lineWidget("Heartbeats", place(0, 0, 24, 6))] });
    source = asking;
    const { page } = await open();
    await page.locator(".widget").waitFor();
    await page.getByRole("radio", { name: "The last 3 hours" }).check({ force: true });
    await expect
      .poll(() => page.locator(".widget-message").textContent())
      .toContain("Nothing in the last 3 hours.");
    const { startMs = 0, endMs = 0 } = asking.asked.at(-1)?.range ?? {};
    expect(endMs - startMs).toBe(3 * 3_600_000);
    await page.reload();
    await page.locator(".widget").waitFor();
    expect(await page.getByRole("radio", { name: "The last 3 hours" }).isChecked()).toBe(true);
  });

  test("offers a choice of dashboards, and hides it when there is nothing to choose", async () => {
    const text = (markdown: string) => ({
      widgets: [{ type: "text", ...place(0, 0, 24, 1), properties: { markdown } }],
    });
    source = fakeSource({
      dashboards: () => [
        { name: "a", title: "Pool a", body: text("about a") },
        { name: "b", title: "Pool b", body: text("about b") },
      ],
    });
    const { page } = await open();
    await page.getByLabel("Dashboard").selectOption("Pool b");
    await page.getByText("about b").waitFor();
    source = fakeSource({ widgets: [] });
    const { page: other } = await open();
    await other.locator(".dashboard-empty").waitFor();
    expect(await other.getByLabel("Dashboard").isVisible()).toBe(false);
  });

  test("shows a notice while the stack cannot be reached, and keeps its widgets", async () => {
    source = everything();
    const { page } = await open();
    await page.locator(".number-value").waitFor();
    await page.route("**/api/dashboard?*", (route) => route.abort());
    await page.getByRole("radio", { name: "The last hour" }).check({ force: true });
    await page.getByText("The local stack cannot be reached").waitFor();
    expect(await page.locator(".fresh").textContent()).toBe("Offline");
    expect(await page.locator(".number-value").textContent()).toBe("2");
    await page.unroute("**/api/dashboard?*");
    await page.getByRole("radio", { name: "The last day" }).check({ force: true });
    await expect.poll(() => page.locator("#notice").textContent()).toBe("");
  });

  test("uses one column on a phone, without horizontal overflow", async () => {
    source = everything();
    const { page } = await open();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.locator(".number-value").waitFor();
    const widths = () =>
      page.evaluate<number[]>("[...document.querySelectorAll('.widget')].map((each) => each.offsetWidth)");
    const tooWide = () => page.evaluate("document.documentElement.scrollWidth - innerWidth");
    // The charts are redrawn for the new width.
    await expect.poll(async () => new Set(await widths()).size).toBe(1);
    await expect.poll(tooWide).toBeLessThanOrEqual(0);
  });
});
