import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import * as z from "zod";
import { commandLine } from "../infra/command-line.ts";
import { ansiToHtml } from "./ansi.ts";
import { rounds } from "./screenshot-jobs.ts";
import { suggestions } from "./studio/page/suggestions.js";

/**
 * `npm run screenshots`: starts the stack as `npm start` does, gives it jobs for some minutes, and takes the docs'
 * screenshots of its pages and of two commands. Needs Chromium (CHROMIUM_PATH, default /usr/bin/chromium).
 */
const projectRoot = resolve(import.meta.dirname, "..");
const imageDir = join(projectRoot, "docs/images");
const chromiumPath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

/** Metrics are counted by the minute, so the rounds make several bars. */
const betweenRoundsMs = 30_000;
/** Cycles start and end, and alarms are evaluated, once a minute. */
const settlingMs = 65_000;
const patienceMs = 180_000;

/** Without an address until the stack has started. */
const stackFileSchema = z.object({ studioUrl: z.string().optional() });
const workspaceSchema = z.object({ workspaceId: z.string(), title: z.string(), state: z.string() });
const runsSchema = z.array(z.object({ runId: z.string() }));

interface Stack {
  readonly url: string;
  readonly stateDir: string;
}

async function main(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), "studio-runner-screenshots-"));
  const started = spawn(
    process.execPath,
    ["local/main.ts", "--state-dir", stateDir, "--port", String(await freePort())],
    { cwd: projectRoot, stdio: ["ignore", "ignore", "inherit"], env: offlineEnvironment() },
  );
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  });
  try {
    const stack = { url: await addressIn(stateDir, started), stateDir };
    await mkdir(imageDir, { recursive: true });
    await workOff(stack);
    await shootWorkspace(browser, stack, await exampleIn(stack));
    await shootPages(browser, stack);
    for (const command of ["status", "doctor"]) await shootCommand(browser, { command, stateDir });
    await shootPaused(browser, stack);
  } finally {
    await browser.close();
    started.kill("SIGTERM");
    if (started.exitCode === null) await once(started, "exit");
    await rm(stateDir, { recursive: true, force: true });
  }
}

/** Removes variables that would select a real model or a real Studio. */
function offlineEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of ["OPENAI_API_KEY", "OPENAI_BASE_URL", "RUNNER_TOKEN", "RUNNER_API_BASE"]) env[name] = "";
  return env;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Waits until the stack has written its address. */
async function addressIn(stateDir: string, stack: ChildProcess): Promise<string> {
  const file = join(stateDir, "stack.json");
  return until("the stack to start", async () => {
    if (stack.exitCode !== null) throw new Error(`npm start ended with exit code ${stack.exitCode}`);
    const text = await readFile(file, "utf8").catch(() => undefined);
    return text === undefined ? undefined : stackFileSchema.parse(JSON.parse(text)).studioUrl;
  });
}

/** Gives the stack jobs and waits until all of them have ended and the dashboard shows it. */
async function workOff(stack: Stack): Promise<void> {
  for (const [index, jobs] of rounds.entries()) {
    print(`Round ${index + 1} of ${rounds.length}: ${jobs.length} jobs`);
    for (const [name, words] of jobs)
      await queue(stack, {
        name,
        text: `${name}, for a team of five people who have worked together for years.\n\n${words}`,
      });
    await sleep(betweenRoundsMs);
  }
  await until("every job to end", async () => {
    const workspaces = z.array(workspaceSchema).parse(await get(`${stack.url}/api/workspaces`));
    return workspaces.every(({ state }) => state === "completed" || state === "failed") || undefined;
  });
  print(`All jobs have ended; waiting ${settlingMs / 1_000} s for the last cycle and the alarms`);
  await sleep(settlingMs);
}

/** One of the jobs that `npm start` gives to a new stack. */
async function exampleIn({ url }: Stack): Promise<string> {
  const workspaces = z.array(workspaceSchema).parse(await get(`${url}/api/workspaces`));
  const example = workspaces.find(({ title }) => title.startsWith("Launch of a coffee subscription"));
  if (example === undefined) throw new Error("the stack has no example about a launch");
  return example.workspaceId;
}

interface Message {
  readonly name: string;
  readonly text: string;
}

/** Starts a workspace and returns its id. */
async function queue({ url }: Stack, { name: title, text }: Message): Promise<string> {
  const body = JSON.stringify({ text, title, target: "user" });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/api/workspaces`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`Studio answered ${response.status}: ${await response.text()}`);
  return workspaceSchema.parse(await response.json()).workspaceId;
}

async function get(url: string): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const endMs = performance.now() + patienceMs;
  while (performance.now() < endMs) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(500);
  }
  throw new Error(`gave up waiting for ${what} after ${patienceMs / 1_000} s`);
}

const desktop = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
/** A page of A4 at 96 dots per inch. */
const paper = { viewport: { width: 794, height: 1123 } };

interface Shot {
  readonly name: string;
  readonly address: string;
  /** What is there when the page is complete. */
  readonly shows: string;
  readonly look?: BrowserContextOptions;
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/** Takes a screenshot of what a window of that size shows. */
async function shoot(
  browser: Browser,
  { name, address, shows, look = desktop, prepare }: Shot,
): Promise<void> {
  const context = await browser.newContext({ reducedMotion: "reduce", ...look });
  const page = await context.newPage();
  await page.goto(address);
  await page.locator(shows).first().waitFor();
  await page.evaluate("document.fonts.ready");
  await prepare?.(page);
  await page.evaluate(asReadersSeeIt);
  await page.screenshot({ path: join(imageDir, `${name}.png`), animations: "disabled" });
  await context.close();
  print(`docs/images/${name}.png`);
}

/** A reader's stack is in the default folder, and his name is not root. The words for the offline model are not his either. */
const asReadersSeeIt = `
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode())
    text.data = text.data.replace(/ --state-dir \\S+/, "").replace(/ by root\\b/, " by ann").replace(/\\s*\\[\\[.*?(?:\\]\\]|$)/g, "");
`;

const threadOf = ({ url }: Stack, workspaceId: string): string => `${url}/#/w/${workspaceId}`;
const asPrinted = async (page: Page): Promise<void> => {
  await page.emulateMedia({ media: "print" });
  // The margins of the paper.
  await page.evaluate("document.documentElement.style.padding = '48px'");
};
const toRunLine = (page: Page): Promise<void> => page.locator(".run-line").last().scrollIntoViewIfNeeded();
const answerCard = ".message-assistant .card";

async function shootWorkspace(browser: Browser, stack: Stack, workspaceId: string): Promise<void> {
  const shown = { address: threadOf(stack, workspaceId), shows: answerCard };
  const runs = runsSchema.parse(await get(`${stack.url}/api/workspaces/${workspaceId}/runs`));
  const timeline = `${stack.url}/runs/${runs[0]?.runId ?? ""}`;
  await shoot(browser, { ...shown, name: "answer" });
  await shoot(browser, { ...shown, name: "run-line", shows: ".run-line a", prepare: toRunLine });
  await shoot(browser, { ...shown, name: "dark", look: { ...desktop, colorScheme: "dark" } });
  await shoot(browser, { ...shown, name: "phone", look: phone });
  await shoot(browser, { ...shown, name: "print", look: paper, prepare: asPrinted });
  await shoot(browser, { name: "timeline", address: timeline, shows: ".steps li" });
}

async function shootPages(browser: Browser, { url }: Stack): Promise<void> {
  const wide = { viewport: { width: 1440, height: 1500 } };
  await shoot(browser, { name: "runs", address: `${url}/runs`, shows: "tbody tr" });
  const address = `${url}/dashboard?minutes=15`;
  await shoot(browser, { name: "dashboard", address, shows: ".widget canvas", look: wide });
}

/** A job that waits, with the reason and what to do. */
async function shootPaused(browser: Browser, stack: Stack): Promise<void> {
  await run(stack.stateDir, ["pause", "--why", "the budget of November is spent"]);
  // A cycle that started before the pause still leases jobs.
  await sleep(settlingMs);
  const waiting = await queue(stack, suggestions.hosting);
  await shoot(browser, { name: "queued", address: threadOf(stack, waiting), shows: "text=Paused" });
}

/** Characters per line. */
const terminalColumns = 100;
const usageExitCode = 2;

/** Runs a command about the stack and returns what it prints. */
async function run(stateDir: string, words: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ["cli/main.ts", ...words, "--local", "--state-dir", stateDir], {
    cwd: projectRoot,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, FORCE_COLOR: "1", COLUMNS: String(terminalColumns) },
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => said.push(text));
  }
  const [code]: unknown[] = await once(child, "close");
  const text = said.join("").trimEnd();
  if (code === usageExitCode) throw new Error(`the command ${words.join(" ")} could not be run:\n${text}`);
  return text;
}

interface CommandShot {
  readonly command: string;
  readonly stateDir: string;
}

/** Takes a screenshot of a command's real output. */
async function shootCommand(browser: Browser, { command, stateDir }: CommandShot): Promise<void> {
  const text = await run(stateDir, [command]);
  const page = await browser.newPage({ viewport: { width: 980, height: 400 } });
  // The folder of these screenshots is not one that a reader has.
  const shown = text.replaceAll(` --state-dir ${stateDir}`, "").replaceAll(stateDir, ".local/stack");
  await page.setContent(terminalPage(commandLine(command, { local: true }), shown));
  await page.locator("main").screenshot({ path: join(imageDir, `${command}.png`) });
  await page.close();
  print(`docs/images/${command}.png`);
}
const terminalPage = (command: string, output: string): string => `<!doctype html>
<meta charset="utf-8" />
<style>
  main { display: inline-block; margin: 0; padding: 18px 22px 22px; background: #16181c; color: #e6e7ea; }
  pre { margin: 0; min-width: ${terminalColumns}ch; font: 14px/1.5 "DejaVu Sans Mono", Menlo, Consolas, monospace; }
  .bold { font-weight: 700; } .dim { color: #9097a1; } .italic { font-style: italic; } .underline { text-decoration: underline; }
  .red { color: #ff8f86; } .green { color: #6fd3a8; } .yellow { color: #f0c468; } .blue { color: #93a7ff; }
  .magenta { color: #e79bd0; } .cyan { color: #6ccbe0; } .black { color: #6b727c; }
</style>
<main><pre><span class="dim">$</span> ${ansiToHtml(command)}

${ansiToHtml(output)}</pre></main>`;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

await main();
