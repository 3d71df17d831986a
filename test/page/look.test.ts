import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { inChromium, openPage, rig, setUpStudio } from "./open-page.ts";

let page: Page;

setUpStudio();
beforeAll(async () => {
  for (const title of ["First", "Second", "Third"]) rig.studio.queueJob({ title, text: "text" });
  ({ page } = await openPage());
  await page.locator("#workspaces a").first().waitFor();
});

/** Pairs of custom properties that the page uses as text and background. */
const textOnGround = [
  ["--text", "--background"],
  ["--text", "--surface"],
  ["--text", "--accent-soft"],
  ["--text", "--bad-soft"],
  ["--muted", "--background"],
  ["--muted", "--surface"],
  ["--muted", "--raised"],
  ["--muted", "--sunken"],
  ["--muted", "--bad-soft"],
  ["--accent", "--surface"],
  ["--accent-strong", "--accent-soft"],
  ["--on-accent", "--accent"],
  ["--on-accent", "--accent-strong"],
  ["--good", "--good-soft"],
  ["--bad", "--bad-soft"],
  ["--warn", "--warn-soft"],
] as const;

inChromium("the page", () => {
  test.each(["light", "dark"] as const)(
    "has a contrast of at least 4.5 between text and background (%s)",
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      for (const [text, ground] of textOnGround) {
        const [one, other] = await page.evaluate<string[]>(
          `${JSON.stringify([text, ground])}.map((name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim())`,
        );
        expect(contrast(one ?? "", other ?? ""), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    },
  );

  test("outlines the focused element", async () => {
    await page.getByRole("link", { name: "New workspace" }).focus();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
  });
});

inChromium("the list of workspaces", () => {
  test("moves the focus with the arrow keys, Home and End", async () => {
    const focused = () =>
      page.evaluate("document.activeElement.querySelector('.workspace-name')?.textContent");
    const names = await page.locator(".workspace-name").allTextContents();
    await page.locator("#workspaces a").first().focus();
    await page.keyboard.press("ArrowDown");
    expect(await focused()).toBe(names[1]);
    await page.keyboard.press("End");
    expect(await focused()).toBe(names[2]);
    await page.keyboard.press("ArrowUp");
    expect(await focused()).toBe(names[1]);
    await page.keyboard.press("Home");
    expect(await focused()).toBe(names[0]);
  });

  test("keeps the focus on a workspace that moves up in the list", async () => {
    await page.locator("#workspaces a").last().focus();
    const moved = await page.evaluate<string>(
      "document.activeElement.querySelector('.workspace-name').textContent",
    );
    await rig.lease(); // the oldest job: the last in the list
    await expect.poll(() => page.locator(".workspace-name").first().textContent()).toBe(moved);
    expect(await page.evaluate("document.activeElement.querySelector('.workspace-name')?.textContent")).toBe(
      moved,
    );
  });
});

/** The ratio of WCAG 2, from two "#rrggbb". */
function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

function luminance(hex: string): number {
  const channel = (at: number): number => {
    const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}
