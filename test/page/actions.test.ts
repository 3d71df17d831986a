import { afterEach, beforeEach, expect, test } from "vitest";
import {
  completedWorkspace,
  hasFocus,
  inChromium,
  openPage,
  renewStudio,
  rig,
  setUpBrowser,
} from "./open-page.ts";
import { sampleResult } from "./sample-result.ts";

setUpBrowser();
beforeEach(() => renewStudio());
afterEach(() => rig.studio.close());

async function failedWorkspace(title: string): Promise<string> {
  rig.studio.queueJob({ text: "Draw the impossible", title });
  const workspaceId = await rig.lease();
  await rig.fail(workspaceId, "The model refused.");
  return workspaceId;
}

inChromium("a failed job", () => {
  test("is queued again with one click, keeps its failure, and cannot be retried meanwhile", async () => {
    const workspaceId = await failedWorkspace("Impossible");
    const { page, complaints } = await openPage(`#/w/${workspaceId}`);
    const retry = page.getByRole("button", { name: "Retry" });
    await retry.click();
    await page.getByText("Waiting for a runner to lease this job.").waitFor();
    expect(await retry.isVisible()).toBe(false);
    expect(await page.getByText("The model refused.").isVisible()).toBe(true);
    expect(await rig.lease()).toBe(workspaceId);
    await rig.fail(workspaceId, "The model refused again.");
    await page.getByText("The model refused again.").waitFor();
    expect(await retry.filter({ visible: true }).count()).toBe(1);
    expect(complaints).toEqual([]);
  });
});

inChromium("a workspace", () => {
  test("is renamed in a dialog, with the keyboard alone", async () => {
    const { page } = await openPage(`#/w/${await failedWorkspace("Old name")}`);
    await page.getByRole("button", { name: "Rename" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Rename workspace" }).waitFor();
    await page.keyboard.type("New name");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await expect.poll(() => page.locator(".workspace-name").allTextContents()).toEqual(["New name"]);
    expect(await page.locator(".thread-title").textContent()).toBe("New name");
    await expect.poll(() => hasFocus(page.getByRole("button", { name: "Rename" }))).toBe(true);
  });

  test("is deleted only after a question, and leaves the list of every open page", async () => {
    const workspaceId = await failedWorkspace("Unwanted");
    await failedWorkspace("Wanted");
    const other = await openPage(`#/w/${workspaceId}`);
    await other.page.getByText("The model refused.").waitFor();
    const { page } = await openPage(`#/w/${workspaceId}`);
    await page.getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete workspace?" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(rig.studio.snapshot()).toHaveLength(2);
    await page.getByRole("button", { name: "Delete" }).click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await expect.poll(() => page.evaluate("location.hash")).toBe("#/");
    for (const open of [page, other.page]) {
      await expect.poll(() => open.locator(".workspace-name").allTextContents()).toEqual(["Wanted"]);
    }
    await other.page.getByText("This workspace was deleted.").waitFor();
  });

  test("stays, with the reason, if it cannot be deleted", async () => {
    rig.studio.queueJob({ text: "Something slow" });
    const { page } = await openPage(`#/w/${await rig.lease()}`);
    await page.getByRole("button", { name: "Delete" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete workspace?" });
    await dialog.getByRole("button", { name: "Delete" }).click();
    const reason = "A runner is working on this workspace. Delete it when the job has ended.";
    await dialog.getByRole("alert").filter({ hasText: reason }).waitFor();
    expect(rig.studio.snapshot()).toHaveLength(1);
  });
});

inChromium("a workspace that does not exist", () => {
  test("is a sentence and a way on, without a composer", async () => {
    const { page } = await openPage("#/w/ws_none");
    await page.getByRole("alert").filter({ hasText: "There is no such workspace." }).waitFor();
    expect(await page.locator("textarea").count()).toBe(0);
    await page.getByRole("link", { name: "Start a new workspace" }).click();
    await page.getByLabel("Message", { exact: true }).waitFor();
  });
});

inChromium("the search", () => {
  test("filters by titles and messages, with the keyboard alone", async () => {
    for (const [title, text] of [
      ["Trip", "A week in Lisbon"],
      ["Coffee", "A subscription by post"],
    ] as const)
      rig.studio.queueJob({ title, text });
    const { page } = await openPage();
    const names = () => page.locator(".workspace-name").allTextContents();
    const field = page.getByRole("searchbox", { name: "Search workspaces" });
    await field.focus();
    await page.keyboard.type("lisbon");
    await expect.poll(names).toEqual(["Trip"]);
    await page.keyboard.press("ArrowDown");
    expect(await hasFocus(page.locator("#workspaces a"))).toBe(true);
    await page.keyboard.press("ArrowUp");
    expect(await hasFocus(field)).toBe(true);
    await page.keyboard.type("x");
    await page.getByText("No workspace contains “lisbonx”.").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(names).toEqual(["Coffee", "Trip"]);
    await page.keyboard.type("LISBON");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Trip" }).waitFor();
  });
});

inChromium("the browser's Back", () => {
  test("closes an open dialog and nothing else, and the focus returns", async () => {
    const workspaceId = await completedWorkspace(sampleResult);
    const { page } = await openPage();
    await page.locator("#workspaces a").click();
    const opener = page.getByRole("button", { name: "View notes/brief.md" });
    for (const close of [() => page.goBack(), () => page.keyboard.press("Escape")]) {
      await opener.focus();
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await close();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(await hasFocus(opener)).toBe(true);
      expect(await page.evaluate("location.hash")).toBe(`#/w/${workspaceId}`);
      await expect.poll(() => page.evaluate("history.state")).toBe(null);
    }
    await page.goBack();
    await expect.poll(() => page.evaluate("location.hash")).toBe("");
  });
});

inChromium("the focus", () => {
  test("goes to the skip link first in an open workspace", async () => {
    const { page } = await openPage(`#/w/${await failedWorkspace("Anything")}`);
    await page.getByText("The model refused.").waitFor();
    await page.keyboard.press("Tab");
    expect(await hasFocus(page.getByRole("link", { name: "Skip to the workspace" }))).toBe(true);
    await page.keyboard.press("Enter");
    expect(await hasFocus(page.locator("#main"))).toBe(true);
  });

  test("is in the composer at the start, and stays with someone who reads", async () => {
    const { page } = await openPage();
    const composer = page.getByLabel("Message", { exact: true });
    await expect.poll(() => hasFocus(composer)).toBe(true);
    await failedWorkspace("Anything");
    const link = page.locator("#workspaces a");
    await link.click();
    await page.getByText("The model refused.").waitFor();
    expect(await hasFocus(link)).toBe(true);
  });
});
