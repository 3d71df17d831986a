import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const requirements = join(import.meta.dirname, "requirements.txt");
const isNewEnough = "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))";

/**
 * A Python with MiniStack, in an environment below `folder` that is made once.
 * @throws Error if there is no Python to make it with
 */
export async function preparePython(folder: string): Promise<string> {
  const environment = join(folder, "venv");
  const python = join(environment, "bin", "python");
  const installed = join(environment, "requirements.txt");
  if (existsSync(installed) && (await readFile(installed, "utf8")) === (await readFile(requirements, "utf8")))
    return python;
  await rm(environment, { recursive: true, force: true });
  await run(await findPython(), ["-m", "venv", environment]);
  await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
  await copyFile(requirements, installed);
  return python;
}

async function findPython(): Promise<string> {
  for (const name of ["python3", "python3.14", "python3.13", "python3.12", "python3.11"]) {
    const found = await run(name, ["-c", isNewEnough]).catch(() => undefined);
    if (found) return name;
  }
  throw new Error("The cloud suite needs Python 3.11 or newer with its venv module, and found none.");
}
