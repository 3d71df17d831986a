import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { join, resolve } from "node:path";
import type { SettingsInput } from "../../infra/settings.ts";
import { parseJson } from "../../lib/core/json.ts";

const root = resolve(import.meta.dirname, "../..");
const parts = [
  "cdk.json",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "cli",
  "functions",
  "infra",
  "lib",
  "local",
];

/** A user's clone of this project. A command that fails throws an Error with its output, also as `document`, and `exitCode`. */
export interface Project {
  /** `npm run runner -- …`. Returns the document on standard output, if it is one. */
  runner(line: string, input?: string, variables?: Readonly<Record<string, string>>): Promise<unknown>;
  /** `npx cdk …` */
  cdk(line: string): Promise<unknown>;
  /** Changes the settings in cdk.json. */
  configure(settings: SettingsInput): void;
  /** Changes a source file. @throws Error if it has no such text */
  edit(file: string, from: string, to: string): void;
}

/** Copies the project, so that the user can change it. `variables`: the environment of every command. */
export function cloneProject(folder: string, variables: Readonly<Record<string, string>>): Project {
  for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const home = join(folder, "home");
  mkdirSync(home);
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    NO_COLOR: "1",
    // These three only save time.
    NODE_COMPILE_CACHE: join(home, "compile-cache"),
    CDK_DISABLE_CLI_TELEMETRY: "true",
    CDK_DISABLE_VERSION_CHECK: "1",
    ...variables,
  };
  const run = async ([file = "", ...args]: readonly string[], input = "", own = {}): Promise<unknown> => {
    const child = spawn(file, args, { cwd: folder, env: { ...env, ...own } });
    const ended = new Promise<number>((done, fail) => {
      child.once("error", fail).once("close", (code) => done(code ?? -1));
    });
    child.stdin.on("error", () => undefined).end(input);
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    if (code === 0) return parseJson(stdout);
    const error = new Error(`${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
    throw Object.assign(error, { exitCode: code, document: parseJson(stdout || stderr) });
  };
  const settingsFile = join(folder, "cdk.json");
  return {
    runner: (line, input, own) => run([process.execPath, "cli/main.ts", ...line.split(" ")], input, own),
    cdk: (line) => run([join("node_modules", ".bin", "cdk"), ...line.split(" ")]),
    configure: (settings) => {
      const file = JSON.parse(readFileSync(settingsFile, "utf8")) as { context: Record<string, object> };
      const changed = { ...file.context["studio-runner"], ...settings };
      const context = { ...file.context, "studio-runner": changed };
      writeFileSync(settingsFile, JSON.stringify({ ...file, context }));
    },
    edit: (name, from, to) => {
      const before = readFileSync(join(folder, name), "utf8");
      if (!before.includes(from)) throw new Error(`${name} does not have: ${from}`);
      writeFileSync(join(folder, name), before.replace(from, to));
    },
  };
}
