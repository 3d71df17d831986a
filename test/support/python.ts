import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const isNewEnough = "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))";

/**
 * The `bin` folder of a Python environment with pinned packages. It is made once, below `folder`.
 * @throws Error if there is no Python to make it with
 */
export async function preparePython(folder: string, requirementsFile: string): Promise<string> {
  const environment = join(folder, "venv");
  const bin = join(environment, "bin");
  const installed = join(environment, "requirements.txt");
  const requirements = await readFile(requirementsFile, "utf8");
  if (existsSync(installed) && (await readFile(installed, "utf8")) === requirements) return bin;
  await rm(environment, { recursive: true, force: true });
  await run(await findPython(), ["-m", "venv", environment]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirementsFile];
  await run(join(bin, "python"), pip);
  await copyFile(requirementsFile, installed);
  return bin;
}

async function findPython(): Promise<string> {
  for (const name of ["python3", "python3.14", "python3.13", "python3.12", "python3.11"]) {
    const found = await run(name, ["-c", isNewEnough]).catch(() => undefined);
    if (found) return name;
  }
  throw new Error("This needs Python 3.11 or newer with its venv module, and found none.");
}
