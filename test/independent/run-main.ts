import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";

const root = resolve(import.meta.dirname, "../..");

export interface Ended {
  readonly code: number | null;
  /** Both streams, as they came. */
  readonly output: string;
}

/** Those of a test that hangs must not stay behind. */
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** `node local/main.ts --once` in a process of its own that is told everything by environment variables, as a user would. */
export async function runMain(
  variables: Readonly<Record<string, string>>,
  { concurrency }: { readonly concurrency: number },
): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), "independent-"));
  const flags = ["--once", "--concurrency", String(concurrency), "--state-dir", join(folder, "state")];
  // In an empty folder, where no .env can speak too.
  const child = spawn(process.execPath, [join(root, "local/main.ts"), ...flags], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const said: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  try {
    const code = await new Promise<number | null>((done, fail) => {
      child.once("error", fail);
      child.once("close", done);
    });
    return { code, output: Buffer.concat(said).toString("utf8") };
  } finally {
    running.delete(child);
    rmSync(folder, { recursive: true, force: true });
  }
}
