import { spawn, type ChildProcess } from "node:child_process";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { eventuallyTrue } from "./eventually.ts";

const root = resolve(import.meta.dirname, "../..");
const preload = `--import=${pathToFileURL(resolve(import.meta.dirname, "reuse-bundles.ts")).href}`;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when the command has printed `text`. */
  printed(text: string): Promise<void>;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory; a `.env` file there is read. Default: a folder without one. */
  readonly folder?: string;
  /** Default: `npm start`. */
  readonly script?: "local/main.ts" | "cli/main.ts";
  /** Reuses this folder's bundles, instead of making them (build-once.ts). */
  readonly bundles?: string;
  /** All of standard input. Default: empty. */
  readonly input?: string;
}

const running = new Set<ChildProcess>();

/** Ends the processes of a test that hangs. */
export function endCommands(): void {
  for (const child of running) child.kill("SIGKILL");
}

/**
 * Runs `npm start` or `npm run runner` with these arguments in a process of its own, without this process's
 * environment.
 */
export function start(
  args: readonly string[],
  { env = {}, folder = import.meta.dirname, script = "local/main.ts", bundles, input }: CommandOptions = {},
): Command {
  const child = spawn(process.execPath, [resolve(root, script), ...args], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      ...(bundles === undefined ? {} : { TEST_BUNDLES: bundles, NODE_OPTIONS: preload }),
      ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A process that ends without reading its input breaks the pipe.
  child.stdin.on("error", () => undefined).end(input);
  running.add(child);
  child.once("close", () => running.delete(child));
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const ended = new Promise<Ended>((done, fail) => {
    child.once("error", fail).once("close", (code) => done({ code, stdout, stderr }));
  });
  return {
    child,
    ended,
    printed: (text) => eventuallyTrue(`the command prints "${text}"`, () => stdout.includes(text), 150_000),
  };
}

export const run = (args: readonly string[], options?: CommandOptions): Promise<Ended> =>
  start(args, options).ended;
