import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, firefox, type Locator, type Page } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { systemClock } from "../../lib/core/clock.ts";
import { type LocalStudio, startStudio, type StudioOptions } from "../../local/studio/server.ts";
import type { SampleResult } from "./sample-result.ts";

const chromiumPath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
const firefoxPath = process.env["FIREFOX_PATH"] ?? "/usr/bin/firefox-esr";
export const hasChromium = existsSync(chromiumPath);
const hasFirefox = existsSync(firefoxPath);

/** A group of tests that needs a Chromium; without one it is skipped, and its name says why. */
export function inChromium(name: string, body: () => void): void {
  const title = hasChromium ? name : `${name} (skipped: no Chromium at ${chromiumPath}, see CHROMIUM_PATH)`;
  describe.skipIf(!hasChromium)(title, () => {
    body();
  });
}

/**
 * A group of tests that runs in Chromium and again in Firefox: for what must work everywhere. Firefox cannot emulate a
 * colour scheme, a touch screen or a download here, so tests of those stay in Chromium.
 */
export function inEveryBrowser(name: string, body: () => void): void {
  inChromium(name, body);
  const skipped = `skipped: no Firefox at ${firefoxPath}, see FIREFOX_PATH`;
  describe.skipIf(!hasFirefox)(`${name} (${hasFirefox ? "Firefox" : skipped})`, () => {
    let before: BrowserContext;
    beforeAll(async () => {
      before = browser;
      openFirefox ??= await launchFirefox();
      browser = openFirefox.context;
    });
    afterAll(() => {
      browser = before;
    });
    body();
  });
}

const launchArgs = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const viewport = { width: 1280, height: 860 };

type BrowserOptions = Parameters<typeof chromium.launchPersistentContext>[1];

interface OpenBrowser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** A Chromium with a user data directory of its own. */
export async function openBrowser(options: BrowserOptions = {}): Promise<OpenBrowser> {
  const folder = await mkdtemp(join(tmpdir(), "studio-page-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: chromiumPath,
    headless: true,
    args: launchArgs,
    viewport,
    ...options,
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Debian's Firefox, through WebDriver BiDi. */
async function launchFirefox(): Promise<OpenBrowser> {
  const opened = await firefox.launch({ channel: "moz-firefox", executablePath: firefoxPath });
  return { context: await opened.newContext({ viewport }), close: () => opened.close() };
}

/** The file's browser and Studio. */
export let browser: BrowserContext;
export let rig: StudioRig;
let openFirefox: OpenBrowser | undefined;

/** Gives the tests of a file one Chromium, and one Firefox if they ask for it. */
export function setUpBrowser(options: BrowserOptions = {}): void {
  let opened: OpenBrowser | undefined;
  beforeAll(async () => {
    if (!hasChromium) return;
    opened = await openBrowser(options);
    browser = opened.context;
  });
  afterAll(async () => {
    await opened?.close();
    await openFirefox?.close();
    openFirefox = undefined;
  });
}

/** Gives the tests of a file one Chromium and one Studio. */
export function setUpStudio(options: Partial<StudioOptions> = {}, browserOptions?: BrowserOptions): void {
  setUpBrowser(browserOptions);
  beforeAll(() => renewStudio(options));
  afterAll(() => rig?.studio.close());
}

export async function renewStudio(options: Partial<StudioOptions> = {}): Promise<void> {
  rig = await startRig(options);
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors and warnings in the console, Content-Security-Policy violations included, and uncaught errors. */
  readonly complaints: readonly string[];
}

/** Opens a path of Studio. */
export async function openPage(path = "", { studio } = rig): Promise<WatchedPage> {
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${studio.url}/${path}`);
  return { page, complaints };
}

export const hasFocus = async (locator: Locator): Promise<boolean> =>
  (await locator.and(locator.page().locator(":focus")).count()) === 1;

export interface StudioRig {
  readonly studio: LocalStudio;
  /** The calls of a runner. `lease` returns the workspace's id. */
  lease(): Promise<string>;
  complete(workspaceId: string, result: SampleResult): Promise<void>;
  fail(workspaceId: string, error: string): Promise<void>;
}

/** The real local Studio with an empty file in memory, and the calls of a runner. */
export async function startRig(options: Partial<StudioOptions> = {}): Promise<StudioRig> {
  const studio = await startStudio({
    file: ":memory:",
    port: 0,
    clock: systemClock,
    random: () => 0.5,
    accountToken: "account",
    info: { kind: "canned", name: "canned" },
    ...options,
  });
  const { runnerToken } = studio.createKey("user");
  const call = async (path: string, body: object): Promise<Readonly<Record<string, unknown>>> => {
    const response = await fetch(`${studio.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${runnerToken}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  return {
    studio,
    lease: async () => String((await call("/leaseWorkspaceJob", {}))["workspaceId"]),
    complete: async (workspaceId, result) =>
      void (await call("/completeWorkspaceJob", withKinds(workspaceId, result))),
    fail: async (workspaceId, error) => void (await call("/failWorkspaceJob", { workspaceId, error })),
  };
}

/** page-api.ts leaves out the `kind` that the runner's API wants. */
function withKinds(workspaceId: string, result: SampleResult): object {
  return {
    workspaceId,
    ...result,
    datasets: result.datasets.map((item) => ({ kind: "table", ...item })),
    lists: result.lists.map((item) => ({ kind: "list", ...item })),
    checklists: result.checklists.map((item) => ({ kind: "checklist", ...item })),
  };
}

/** A workspace whose only job is completed with `result`. */
export async function completedWorkspace(result: SampleResult, title = "Coffee by post"): Promise<string> {
  rig.studio.queueJob({ text: "Plan a coffee subscription with a budget of 5,000 €.", title });
  const workspaceId = await rig.lease();
  await rig.complete(workspaceId, result);
  return workspaceId;
}
