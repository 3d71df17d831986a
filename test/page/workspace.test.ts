import type { Locator, Page } from "playwright-core";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  completedWorkspace,
  hasFocus,
  inChromium,
  inEveryBrowser,
  openPage,
  renewStudio,
  rig,
  setUpBrowser,
  startRig,
} from "./open-page.ts";
import { sampleResult } from "./sample-result.ts";

const shortAnswer = {
  ...sampleResult,
  assistantMessage: "Done.",
  charts: [],
  svgs: [],
  files: [],
  datasets: [],
  lists: [],
};

async function tabTo(goal: Locator, key: "Tab" | "Shift+Tab"): Promise<void> {
  for (let presses = 0; presses < 20 && !(await hasFocus(goal)); presses += 1)
    await goal.page().keyboard.press(key);
}

setUpBrowser();
beforeEach(() => renewStudio({ dailyLimits: { user: 2 } }));
afterEach(() => rig.studio.close());

inEveryBrowser("a job on the page", () => {
  test("starts from an example and is updated up to its answer without a reload", async () => {
    const { page, complaints } = await openPage();
    await page.getByRole("button", { name: /^Plan a launch/ }).click();
    await page.getByLabel("Title").fill("Coffee");
    await page.getByRole("button", { name: "Start" }).click();
    const pill = page.locator(".thread-head .pill");
    await page.getByRole("heading", { name: "Coffee", level: 2 }).waitFor();
    expect(await pill.textContent()).toBe("Queued");
    await page.evaluate("globalThis.sameDocument = true");

    const workspaceId = await rig.lease();
    await expect.poll(() => pill.textContent()).toBe("Working");
    expect(await page.locator("#announcer").textContent()).toBe("Coffee is being worked on.");

    await rig.complete(workspaceId, sampleResult);
    await page.getByText("breaks even in").waitFor();
    expect(await page.locator("#workspaces .pill").textContent()).toBe("Completed");
    expect(await page.locator("#announcer").textContent()).toBe("Coffee is completed.");
    expect(await page.evaluate("globalThis.sameDocument")).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("has the reason of its failure and a button to edit and resend its message", async () => {
    rig.studio.queueJob({ text: "Draw the impossible" });
    const workspaceId = await rig.lease();
    await rig.fail(workspaceId, "The model refused: it draws no impossible things.");
    const { page } = await openPage(`#/w/${workspaceId}`);
    await page.getByText("The model refused: it draws no impossible things.").waitFor();
    await page.getByRole("button", { name: "Edit the message and send it again" }).click();
    expect(await page.getByLabel("Follow-up message").inputValue()).toBe("Draw the impossible");
  });
});

inChromium("a checklist", () => {
  test("keeps a tick after a reload", async () => {
    const workspaceId = await completedWorkspace(shortAnswer);
    const { page } = await openPage(`#/w/${workspaceId}`);
    const progress = page.locator(".progress-text");
    const saved = page.waitForResponse("**/items/*");
    await page.getByLabel("Order 500 boxes").check();
    expect(await progress.textContent()).toBe("2 of 3");
    await saved;
    await page.reload();
    await page.getByLabel("Order 500 boxes").waitFor();
    expect(await page.getByLabel("Order 500 boxes").isChecked()).toBe(true);
    expect(await progress.textContent()).toBe("2 of 3");
  });

  test("reverts a tick that the server refuses and shows the reason", async () => {
    const workspaceId = await completedWorkspace(shortAnswer);
    const { page } = await openPage(`#/w/${workspaceId}`);
    await page.route("**/items/*", (route) =>
      route.fulfill({ status: 409, json: { error: "The checklist is locked." } }),
    );
    await page.getByLabel("Order 500 boxes").click();
    await page.getByText("Not saved. The checklist is locked.").waitFor();
    expect(await page.getByLabel("Order 500 boxes").isChecked()).toBe(false);
    expect(await page.locator(".progress-text").textContent()).toBe("1 of 3");
  });

  test("keeps the focus and an open data table when an item is ticked elsewhere", async () => {
    const workspaceId = await completedWorkspace({ ...sampleResult, assistantMessage: "Done." });
    const { page } = await openPage(`#/w/${workspaceId}`);
    const data = page.getByRole("button", { name: "Data" }).first();
    await data.click();
    const path = `/api/workspaces/${workspaceId}/checklists/first-month/items/site`;
    const init = {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: '{"checked":true}',
    };
    expect((await fetch(`${rig.studio.url}${path}`, init)).status).toBe(200);
    await expect.poll(() => page.getByLabel("Put the landing page online").isChecked()).toBe(true);
    expect(await data.getAttribute("aria-expanded")).toBe("true");
    expect(await hasFocus(data)).toBe(true);
  });
});

inEveryBrowser("the composer", () => {
  test("sends a follow-up with the keyboard alone", async () => {
    const workspaceId = await completedWorkspace(shortAnswer);
    const { page } = await openPage();
    await page.locator("#workspaces a").waitFor();
    await expect.poll(() => hasFocus(page.getByLabel("Message", { exact: true }))).toBe(true);
    await tabTo(page.locator("#workspaces a"), "Shift+Tab");
    await page.keyboard.press("Enter");
    const field = page.getByLabel("Follow-up message");
    await field.waitFor();
    await tabTo(field, "Tab");
    await page.keyboard.type("And now");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("in Portuguese");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator(".bubble").allTextContents()).toContain("And now\nin Portuguese");
    expect(await field.inputValue()).toBe("");
    expect(rig.studio.snapshot()[0]).toMatchObject({
      workspaceId,
      state: "queued",
      preview: "And now in Portuguese",
    });
  });

  test("also sends with Ctrl+Enter", async () => {
    const { page } = await openPage("#/new");
    await page.getByLabel("Message", { exact: true }).fill("A plan");
    await page.keyboard.press("Control+Enter");
    await page.locator(".bubble").waitFor();
    expect(rig.studio.snapshot()).toHaveLength(1);
  });
});

inChromium("the composer, when it cannot send,", () => {
  test("shows the server's refusal and keeps the text, even after a reload", async () => {
    rig.studio.queueJob({ text: "one" });
    rig.studio.queueJob({ text: "two" });
    const { page } = await openPage("#/new");
    const field = page.getByLabel("Message", { exact: true });
    await field.fill("A third one");
    await page.getByRole("button", { name: "Start" }).click();
    await page.locator(".composer").getByRole("alert").filter({ hasText: /2/ }).waitFor();
    expect(await field.inputValue()).toBe("A third one");
    await page.reload();
    expect(await field.inputValue()).toBe("A third one");
  });

  test("asks for a message instead of sending an empty one", async () => {
    const { page } = await openPage("#/new");
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByText("Write a message first.").waitFor();
    expect(rig.studio.snapshot()).toHaveLength(0);
  });
});

inEveryBrowser("the page", () => {
  test("shows a notice when the connection is lost, and catches up when it is back", async () => {
    const { page } = await openPage();
    await page.getByText("Live").waitFor();
    await rig.studio.close();
    await page.getByText("Connection to the Studio server lost.").waitFor();
    await renewStudio({ port: rig.studio.port });
    rig.studio.queueJob({ text: "Queued while nobody looked" });
    await page.getByText("Connected again.").waitFor();
    await expect
      .poll(() => page.locator(".workspace-name").allTextContents())
      .toEqual(["Queued while nobody looked"]);
  });
});

/** As when its tab goes to the background, or comes back. */
const setHidden = (page: Page, hidden: boolean): Promise<unknown> =>
  page.evaluate(`
    Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  `);

inChromium("the page", () => {
  test("keeps no connection while it is hidden, so that a seventh tab loads, and catches up when it is shown", async () => {
    const pages: Page[] = [];
    while (pages.length < 7) {
      const { page } = await openPage();
      await page.getByText("Live").waitFor();
      await setHidden(page, true);
      pages.push(page);
    }
    rig.studio.queueJob({ text: "Queued while the tabs were hidden" });
    await setHidden(pages[0]!, false);
    await expect
      .poll(() => pages[0]!.locator(".workspace-name").allTextContents())
      .toEqual(["Queued while the tabs were hidden"]);
    for (const page of pages) await page.close();
  });

  test("says that answers are the offline model's only when they are, and how to ask a real one", async () => {
    const canned = await openPage(`#/w/${rig.studio.queueJob({ text: "Anything" })}`);
    const label = canned.page.getByRole("note", { name: "About the answers" });
    await label.getByText("OPENAI_API_KEY=sk-… npm start").waitFor();
    const live = await startRig({ info: { kind: "live", name: "gpt-6-luna" } });
    const { page } = await openPage("", live);
    await page.getByText("gpt-6-luna").waitFor();
    expect(await page.getByText("Offline model").count()).toBe(0);
    await live.studio.close();
  });
});
