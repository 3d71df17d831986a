import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";

const root = resolve(import.meta.dirname, "../..");

export interface Ended {
  readonly code: number | null;
  /** Standard output and standard error, interleaved. */
  readonly output: string;
}

/** Processes that are still running when a test hangs are killed at the end. */
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs `node local/main.ts --once` in its own process, configured only by environment variables. */
export async function runMain(
  variables: Readonly<Record<string, string>>,
  { concurrency }: { readonly concurrency: number },
): Promise<Ended> {
  const folder = mkdtempSync(join(tmpdir(), "independent-"));
  const flags = ["--once", "--concurrency", String(concurrency), "--state-dir", join(folder, "state")];
  // In an empty folder, so that no .env file is read.
  const child = spawn(process.execPath, [join(root, "local/main.ts"), ...flags], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  try {
    const code = await new Promise<number | null>((done, fail) => {
      child.once("error", fail);
      child.once("close", done);
    });
    return { code, output: Buffer.concat(chunks).toString("utf8") };
  } finally {
    running.delete(child);
    rmSync(folder, { recursive: true, force: true });
  }
}
