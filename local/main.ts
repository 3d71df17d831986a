import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import pc from "picocolors";
import { systemClock } from "../lib/core/clock.ts";
import { printableLines } from "../lib/core/text.ts";
import type { CloudEvent } from "./cloud/events.ts";
import { makeFolder } from "./folder.ts";
import { exampleWorkspaces } from "./model/examples.ts";
import { describeEvent, workspaceLabel, type TerminalLine } from "./narrate.ts";
import { drain } from "./once.ts";
import { parseOptions, usage, type LocalOptions } from "./options.ts";
import { formatTable, RunReport } from "./report.ts";
import { removeStackFile, writeStackFile, type StackFile } from "./stack-file.ts";
import { startStack, type LocalStack } from "./stack.ts";

/**
 * `npm start`: the entry point, which reads flags and environment and handles signals. Exit codes: README,
 * "Run it here".
 */

const projectRoot = resolve(import.meta.dirname, "..");
const defaultStateDir = join(projectRoot, ".local");
const graceMs = 10_000;

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), environment());
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
  print(pc.dim("Building the functions and starting the stack …"));
  const report = new RunReport();
  const interrupted = interruption();
  const running: { studio?: LocalStack["studio"] } = {};
  const starting = startStack(options, {
    clock: systemClock,
    random: Math.random,
    newSecret: () => randomBytes(24).toString("hex"),
    stateDir,
    onEvent: (event) => {
      report.observe(event);
      narrate(event, running.studio);
    },
  });
  // Ctrl-C during the build stops the build too, which is not a failure.
  const stack = await starting.catch((error: unknown) => {
    if (interrupted.aborted) return undefined;
    throw error;
  });
  if (!stack) return 130;
  running.studio = stack.studio;
  await writeStackFile(stateDir, addressesOf(options, stack));
  introduce(options, stack);
  seed(options, stack);
  try {
    return options.once ? await runOnce(stack, { report, interrupted }) : await serve(interrupted);
  } finally {
    await removeStackFile(stateDir, process.pid);
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

/** The environment, with the variables of a .env file as defaults. */
function environment(): NodeJS.ProcessEnv {
  const file = resolve(".env");
  return existsSync(file) ? { ...parseEnv(readFileSync(file, "utf8")), ...process.env } : process.env;
}

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
  const lines = [
    options.studio
      ? `Studio   ${options.studio.baseUrl}`
      : `Studio   local${options.once ? "" : `, page at ${pc.bold(studio?.url ?? "")}`}`,
    stack.canned
      ? `Model    ${pc.yellow("canned answers of the offline model")}; set OPENAI_API_KEY to ask a real one`
      : `Model    ${stack.modelName}`,
    ...(pagesUrl === undefined
      ? []
      : [
          `Runner   runs at ${pc.bold(`${pagesUrl}/runs`)}, dashboard at ${pc.bold(`${pagesUrl}/dashboard`)}`,
        ]),
  ];
  print(`${lines.join("\n")}\n`);
}

/** Queues the example jobs if nothing else waits: on the first start, and for every run with --once. */
function seed(options: LocalOptions, { studio }: LocalStack): void {
  if (!studio) return;
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
  stack: LocalStack,
  { report, interrupted }: { readonly report: RunReport; readonly interrupted: AbortSignal },
): Promise<number> {
  const drained = await drain(stack, systemClock, interrupted);
  if (report.rows.length > 0) print(`\n${formatTable(report.rows, pc)}`);
  else if (drained) print("\nThere was nothing to do: the queue is empty.");
  if (!drained) return 1;
  return report.rows.every(({ completed }) => completed) ? 0 : 1;
}

const paint: Readonly<Record<TerminalLine["tone"], (text: string) => string>> = {
  plain: String,
  good: pc.green,
  bad: pc.red,
};

function narrate(event: CloudEvent, studio: LocalStack["studio"]): void {
  const line = describeEvent(event);
  if (!line) return;
  const time = new Date(event.atMs).toTimeString().slice(0, 8);
  const where = line.workspaceId === undefined ? "" : `${nameOf(line.workspaceId, studio)}  `;
  print(`${pc.dim(time)}  ${line.who.padEnd(10)}  ${pc.cyan(where)}${paint[line.tone](line.what)}`);
}

/** Studio's title of a workspace, or the id if Studio does not know it. */
const nameOf = (workspaceId: string, studio: LocalStack["studio"]): string =>
  workspaceLabel(workspaceId, studio?.titleOf(workspaceId));

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
