import { expect, test } from "vitest";
import { browser, completedWorkspace, inChromium, openPage, setUpStudio } from "./open-page.ts";
import { hostileTexts } from "../support/hostile-text.ts";
import { sampleResult } from "./sample-result.ts";

setUpStudio();

/** The server refuses such results, so they are put into its answer on the way to the page. */
const openWith = async (message: object) => {
  const workspaceId = await completedWorkspace(sampleResult);
  await browser.unrouteAll();
  await browser.route(`**/api/workspaces/${workspaceId}`, async (route) => {
    const response = await route.fetch();
    const detail: { messages: { role: string }[] } = await response.json();
    const messages = detail.messages.map((one) => (one.role === "assistant" ? { ...one, ...message } : one));
    await route.fulfill({ json: { ...detail, messages } });
  });
  const opened = await openPage(`#/w/${workspaceId}`);
  await opened.page.locator(".message-assistant").waitFor();
  return opened;
};
/** Chromium reports this even when it only parses a document to sanitize it. */
const blockedHandler = "Executing inline event handler violates";
const nothing = { files: [], charts: [], datasets: [], svgs: [], lists: [], checklists: [] };

inChromium("the page, given an untrusted answer,", () => {
  test("runs no script from an SVG and loads nothing from elsewhere", async () => {
    const content = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" onload="globalThis.ran = true">
    <script>globalThis.ran = true; parent.ran = true</script>
    <foreignObject><img xmlns="http://www.w3.org/1999/xhtml" src="x" onerror="globalThis.ran = true"/></foreignObject>
    <a href="javascript:globalThis.ran = true"><rect width="10" height="10" style="fill: red" onclick="globalThis.ran = true"/></a>
  </svg>`;
    const { page, complaints } = await openWith({
      text: "Here.",
      deliverables: { ...nothing, svgs: [{ id: "bad", content }] },
    });
    const source = decodeURIComponent((await page.locator(".card-svg img").getAttribute("src")) ?? "");
    expect(source).toContain("<rect");
    expect(source).not.toMatch(/script|onload|onerror|onclick|foreignObject/i);
    await page.getByRole("button", { name: "Enlarge bad" }).click();
    expect(await page.evaluate("globalThis.ran")).toBeUndefined();
    expect(complaints.filter((one) => !one.startsWith(blockedHandler))).toEqual([]);
  });

  test("runs no script from Markdown and turns pictures into links", async () => {
    const text = [
      "<script>globalThis.ran = true</script>",
      '<img src="x" onerror="globalThis.ran = true">',
      "[click](javascript:globalThis.ran=true)",
      '<p style="position: fixed">styled</p>',
      '<a href="https://example.com/" onclick="globalThis.ran = true">out</a>',
      "![a chart](https://example.com/pixel.png)",
    ].join("\n\n");
    const { page, complaints } = await openWith({ text, deliverables: nothing });
    const prose = page.locator(".message-assistant .prose");
    expect(await prose.locator("script, img, [style], [onclick]").count()).toBe(0);
    expect(await prose.getByText("click", { exact: true }).getAttribute("href")).toBeNull();
    expect(await prose.getByRole("link", { name: "out" }).getAttribute("rel")).toBe("noopener noreferrer");
    expect(await prose.getByRole("link", { name: "a chart" }).getAttribute("href")).toBe(
      "https://example.com/pixel.png",
    );
    expect(await page.evaluate("globalThis.ran")).toBeUndefined();
    expect(complaints.filter((one) => !one.startsWith(blockedHandler))).toEqual([]);
  });

  test("shows control characters as text", async () => {
    const items = hostileTexts.map((text) => `a ${text} b`);
    const lists = [{ kind: "list", id: "odd", title: "<b>odd</b>", items }];
    const { page, complaints } = await openWith({ text: "Here.", deliverables: { ...nothing, lists } });
    const shown = await page.locator(".card-list li").allTextContents();
    expect(shown.map((text) => text.trim())).toEqual(items);
    expect(await page.locator(".card-list b").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("isolates the text direction of code and labels", async () => {
    const { page } = await openWith({ text: "An `override\u202E` here.", deliverables: nothing });
    const order = (selector: string) =>
      page.evaluate(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).unicodeBidi`);
    expect(await order(".prose code")).toBe("isolate");
    expect(await order("span")).toBe("isolate");
  });

  test("shows Markdown as plain text when it is nested too deeply to parse", async () => {
    const text = "> ".repeat(11_000);
    const { page, complaints } = await openWith({ text: `${text}deep`, deliverables: nothing });
    expect(await page.locator(".message-assistant .prose pre").textContent()).toBe(`${text}deep`);
    expect(complaints).toEqual([]);
  });

  test("shows a note for a placeholder that has no deliverable or is repeated", async () => {
    const deliverables = { ...nothing, lists: [{ id: "Steps", items: ["one"] }] };
    const text =
      "A {{artifact:chart:missing}} and {{artifact:list:STEPS}} and **again {{ artifact : list : steps }} here**";
    const { page } = await openWith({ text, deliverables });
    expect(await page.locator(".note").allTextContents()).toEqual([
      "The answer names a chart “missing”, which is missing.",
      "The list “Steps” is shown above.",
    ]);
    expect(await page.locator(".card").count()).toBe(1);
    expect(await page.locator(".prose strong").allTextContents()).toEqual(["again ", " here"]);
  });
});
