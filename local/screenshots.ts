import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type BrowserContext } from "playwright-core";
import * as z from "zod";
import { commandLine } from "../infra/command-line.ts";
import { ansiToHtml } from "./ansi.ts";

/**
 * `npm run screenshots`: starts the stack as `npm start` does, gives it jobs for some minutes, and takes
 * screenshots of the dashboard page and of two commands for the docs. Needs Chromium (CHROMIUM_PATH, default
 * /usr/bin/chromium).
 */
const projectRoot = resolve(import.meta.dirname, "..");
const imageDir = join(projectRoot, "docs/images");
const chromiumPath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

/** Special words of the offline model (model/script.ts). Each row is one round of jobs. */
const rounds: readonly (readonly string[])[] = [
  ["[[rounds:2]]", "[[rounds:1]]", "[[rounds:3]]"],
  [
    "[[rounds:2]]",
    "[[rounds:1]] [[slow:1500]]",
    "[[rounds:2]]",
    "[[rounds:3]]",
    "[[rounds:2]]",
    "[[bad-json]]",
  ],
  ["[[refuse]]", "[[rounds:1]]", "[[rounds:2]]", "[[slow:2500]]"],
  [
    "[[rounds:2]]",
    "[[rounds:2]] [[slow:1200]]",
    "[[rounds:1]]",
    "[[dangling]]",
    "[[rounds:4]]",
    "[[rounds:2]]",
    "[[rounds:1]]",
  ],
  ["[[rounds:1]]", "[[content-filter]]", "[[rounds:3]]"],
  [
    "[[rounds:2]]",
    "[[rounds:1]]",
    "[[rounds:2]] [[slow:900]]",
    "[[rounds:2]]",
    "[[refuse]]",
    "[[rounds:3]]",
    "[[rounds:1]]",
  ],
];
const betweenRoundsMs = 45_000;
/** Alarms are evaluated, and cycles reported, once a minute. */
const settlingMs = 70_000;
const patienceMs = 120_000;

const stackFileSchema = z.object({ studioUrl: z.string() });
const workspacesSchema = z.array(z.object({ state: z.string() }));

async function main(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), "studio-runner-screenshots-"));
  const stack = spawn(
    process.execPath,
    ["local/main.ts", "--state-dir", stateDir, "--port", String(await freePort())],
    { cwd: projectRoot, stdio: ["ignore", "ignore", "inherit"], env: offlineEnvironment() },
  );
  const context = await openChromium(stateDir);
  try {
    const studioUrl = await addressIn(stateDir, stack);
    await work(studioUrl);
    await mkdir(imageDir, { recursive: true });
    await shootDashboard(context, studioUrl);
    for (const command of ["status", "doctor"]) await shootCommand(context, { command, stateDir });
  } finally {
    await context.close();
    stack.kill("SIGTERM");
    if (stack.exitCode === null) await once(stack, "exit");
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

async function work(studioUrl: string): Promise<void> {
  for (const [index, jobs] of rounds.entries()) {
    print(`Round ${index + 1} of ${rounds.length}: ${jobs.length} jobs`);
    for (const words of jobs) {
      const text = `Plan the launch of a small product for a team of five.\n\n${words}`;
      await post(`${studioUrl}/api/workspaces`, { text, title: "Launch plan", target: "user" });
    }
    await sleep(betweenRoundsMs);
  }
  await until("every job to end", async () => {
    const workspaces = workspacesSchema.parse(await (await fetch(`${studioUrl}/api/workspaces`)).json());
    return workspaces.every(({ state }) => state === "completed" || state === "failed") || undefined;
  });
  print(`All jobs have ended; waiting ${settlingMs / 1_000} s for the last cycle and the alarms`);
  await sleep(settlingMs);
}

async function post(url: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
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

const openChromium = (stateDir: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(join(stateDir, "chromium"), {
    executablePath: chromiumPath,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    viewport: { width: 1440, height: 900 },
  });

async function shootDashboard(context: BrowserContext, studioUrl: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(`${studioUrl}/dashboard?minutes=15`);
  await page.locator(".widget canvas").first().waitFor();
  await page.evaluate("document.fonts.ready");
  await page.screenshot({ path: join(imageDir, "dashboard.png"), fullPage: true });
  await page.close();
  print("docs/images/dashboard.png");
}

interface Shot {
  readonly command: string;
  readonly stateDir: string;
}

/** Characters per line. */
const terminalColumns = 100;
const usageExitCode = 2;

/** Takes a screenshot of a command's real output. */
async function shootCommand(context: BrowserContext, { command, stateDir }: Shot): Promise<void> {
  const run = spawn(process.execPath, ["cli/main.ts", command, "--local", "--state-dir", stateDir], {
    cwd: projectRoot,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, FORCE_COLOR: "1", COLUMNS: String(terminalColumns) },
  });
  const said: string[] = [];
  for (const stream of [run.stdout, run.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => said.push(text));
  }
  const [code]: unknown[] = await once(run, "close");
  const text = said.join("").trimEnd();
  if (code === usageExitCode) throw new Error(`the command ${command} could not be run:\n${text}`);
  const page = await context.newPage();
  await page.setViewportSize({ width: 980, height: 400 });
  await page.setContent(terminalPage(commandLine(command, { local: true }), text));
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
