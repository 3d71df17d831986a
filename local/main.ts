import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import pc from "picocolors";
import { isAlive } from "../cli/programs.ts";
import { systemClock } from "../lib/core/clock.ts";
import { printableLines } from "../lib/core/text.ts";
import { makeFolder } from "./folder.ts";
import { exampleWorkspaces } from "./model/examples.ts";
import { createRepeats, describeEvent, workspaceLabel, type TerminalLine } from "./narrate.ts";
import { drain } from "./once.ts";
import { readEnvironment } from "./environment.ts";
import { parseOptions, usage, type LocalOptions } from "./options.ts";
import { answers, nameHolder, readJson, refuseHeldFolder } from "./others.ts";
import { formatTable, RunReport, summaryOf } from "./report.ts";
import { removeStackFile, writeStackFile, type StackFile } from "./stack-file.ts";
import { startStack, type LocalStack } from "./stack.ts";
import { tryKeys } from "./try-keys.ts";

/**
 * `npm start`: the entry point, which reads flags and environment and handles signals. Exit codes: README,
 * "Run it here".
 */

const projectRoot = resolve(import.meta.dirname, "..");
const defaultStateDir = join(projectRoot, ".local");
const graceMs = 10_000;
/** A pipe or a file takes whole lines. */
const unlimited = 1_000;

async function main(): Promise<number> {
  const { variables, nameOf } = readEnvironment(".env", process.env);
  const options = parseOptions(process.argv.slice(2), variables);
  if (options === "help") {
    print(usage);
    return 0;
  }
  const { stateDir = defaultStateDir } = options;
  // Files of this process and its children are for this user alone, because they contain Studio's messages
  // and credentials.
  process.umask(0o077);
  const closed = makeFolder(stateDir);
  if (closed !== undefined) print(closed);
  const startedAtMs = systemClock.now();
  await refuseHeldFolder(stateDir, { pid: process.pid, nowMs: startedAtMs, isAlive, answers });
  await writeStackFile(stateDir, { pid: process.pid, startedAtMs });
  try {
    const interrupted = interruption();
    if (options.model || options.studio) {
      print(pc.dim("Trying the keys …"));
      await tryKeys(options, {
        fetch,
        clock: systemClock,
        random: Math.random,
        signal: interrupted,
        nameOf,
      });
    }
    return await run(options, stateDir, interrupted);
  } finally {
    await removeStackFile(stateDir, process.pid);
  }
}

async function run(options: LocalOptions, stateDir: string, interrupted: AbortSignal): Promise<number> {
  if (interrupted.aborted) return 130;
  print(pc.dim("Building the functions and starting the stack …"));
  const report = new RunReport();
  const running: { studio?: LocalStack["studio"] } = {};
  const repeats = createRepeats(timeOf);
  const starting = startStack(options, {
    clock: systemClock,
    random: Math.random,
    newSecret: () => randomBytes(24).toString("hex"),
    stateDir,
    onEvent: (event) => {
      report.observe(event);
      const line = describeEvent(event);
      for (const told of line ? repeats(line, event.atMs) : []) narrate(told, event.atMs, running.studio);
    },
  });
  // Ctrl-C during the build stops the build too, which is not a failure.
  const stack = await starting.catch(async (error: unknown) => {
    if (interrupted.aborted) return undefined;
    throw await nameHolder(error, options.port, readJson);
  });
  if (!stack) return 130;
  running.studio = stack.studio;
  await writeStackFile(stateDir, addressesOf(options, stack));
  introduce(options, stack);
  seed(options, stack);
  try {
    return options.once ? await runOnce(options, stack, { report, interrupted }) : await serve(interrupted);
  } finally {
    await stack.stop(graceMs);
  }
}

const addressesOf = (options: LocalOptions, { cloud, studio, model }: LocalStack): StackFile => ({
  stackName: cloud.stackName,
  region: cloud.region,
  endpointUrl: cloud.endpointUrl,
  credentials: cloud.credentials,
  pid: process.pid,
  studioUrl: studio?.url ?? options.studio?.baseUrl,
  modelUrl: model?.url ?? options.model?.baseUrl,
});

/** Aborts at the first Ctrl-C or SIGTERM. The second ends the process at once. */
function interruption(): AbortSignal {
  const interrupted = new AbortController();
  const onSignal = (): void => {
    if (interrupted.signal.aborted) process.exit(130);
    print(
      pc.dim(
        `\nStopping: no new leases, running jobs get ${graceMs / 1_000} s. Press Ctrl-C again to stop at once.`,
      ),
    );
    interrupted.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return interrupted.signal;
}

function introduce(options: LocalOptions, stack: LocalStack): void {
  const { studio, pagesUrl } = stack;
  const page = studio?.url ?? options.studio?.baseUrl ?? "";
  const model = stack.canned
    ? `${pc.yellow("canned answers of the offline model")}; set OPENAI_API_KEY for real ones`
    : `${stack.modelName}${options.model?.baseUrl === undefined ? "" : ` at ${options.model.baseUrl}`}`;
  const lines = options.once
    ? [`Studio     ${studio ? "local" : page}`, `Model      ${model}`]
    : [
        `Open       ${pc.bold(page)} and write a message`,
        ...(pagesUrl === undefined
          ? []
          : [`Runs       ${pagesUrl}/runs`, `Dashboard  ${pagesUrl}/dashboard`]),
        `Model      ${model}`,
        `Stop       Ctrl-C`,
      ];
  print(`\n${lines.join("\n")}\n`);
}

/**
 * Queues the example jobs for the offline model if nothing else waits: on the first start, and for every run
 * with --once. A real model costs money, so it is asked only what its user asks.
 */
function seed(options: LocalOptions, { studio, canned }: LocalStack): void {
  if (!studio || !canned) return;
  const workspaces = studio.snapshot();
  const waiting = workspaces.some(({ state }) => state === "queued" || state === "leased");
  if (waiting || (workspaces.length > 0 && !options.once)) return;
  for (const example of exampleWorkspaces) studio.queueJob({ ...example, target: "user" });
}

async function serve(interrupted: AbortSignal): Promise<number> {
  if (!interrupted.aborted) {
    await new Promise<void>((done) => interrupted.addEventListener("abort", () => done(), { once: true }));
  }
  return 0;
}

async function runOnce(
  options: LocalOptions,
  stack: LocalStack,
  { report, interrupted }: { readonly report: RunReport; readonly interrupted: AbortSignal },
): Promise<number> {
  const drained = await drain(stack, systemClock, interrupted);
  const { rows } = report;
  const screen = { columns: process.stdout.columns ?? unlimited, colours: pc };
  if (rows.length > 0) {
    const flags = options.stateDir === undefined ? "" : ` -- --state-dir ${options.stateDir}`;
    const where = `Read the answers: ${options.studio?.baseUrl ?? `npm start${flags}`}`;
    const nameOf = (workspaceId: string): string => nameIn(stack.studio, workspaceId, 40);
    print(`\n${formatTable(rows, nameOf, screen)}\n\n${summaryOf(rows)} ${where}`);
  } else if (drained) print(nothingToDo(stack));
  if (!drained) return 1;
  return rows.every(({ completed }) => completed) ? 0 : 1;
}

const nothingToDo = ({ studio, canned }: LocalStack): string =>
  `There was nothing to do: the queue is empty.${studio && !canned ? " Write a message on the page of npm start first." : ""}`;

const paint: Readonly<Record<TerminalLine["tone"], (text: string) => string>> = {
  plain: String,
  good: pc.green,
  bad: pc.red,
};

const timeOf = (atMs: number): string => new Date(atMs).toTimeString().slice(0, 8);

function narrate(line: TerminalLine, atMs: number, studio: LocalStack["studio"]): void {
  const { what, who, workspaceId, tone } = line;
  if (what === undefined) return;
  const where = workspaceId === undefined ? "" : nameIn(studio, workspaceId).padEnd(29);
  print(`${pc.dim(timeOf(atMs))}  ${who.padEnd(10)}  ${pc.cyan(where)}${paint[tone](what)}`);
}

const nameIn = (studio: LocalStack["studio"], workspaceId: string, most?: number): string =>
  workspaceLabel(workspaceId, studio?.nameOf(workspaceId), most);

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  // Errors of this project's own classes are sentences for the user. Any other error is a bug and shows its
  // stack.
  const expected = error instanceof Error && error.name !== "Error" && !(error instanceof TypeError);
  const words = expected
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
  process.stderr.write(`${pc.red("npm start:")} ${printableLines(words)}\n`);
  process.exitCode = 1;
}
