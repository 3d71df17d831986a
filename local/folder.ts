import { mkdirSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { RunnerError } from "../lib/errors.ts";

/**
 * Makes a folder and those that lead to it. Node's own `recursive` never comes back where the parent exists and still
 * answers "no such folder", as /proc does.
 * @throws RunnerError `config_invalid`
 */
export function makeFolder(path: string): void {
  const found = look(path);
  if (found === undefined) makeNew(path);
  else if (!found.isDirectory()) throw cannot(path, "a file stands there");
}

/** Below a file, in a folder that we may not read …: the same sentence. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw cannot(path, problemOf(error), error);
  }
}

function makeNew(path: string): void {
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process was faster.
    if (codeOf(error) === "EEXIST") return;
    throw cannot(path, problemOf(error), error);
  }
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: "its parent takes none",
  EACCES: "its parent may not be written",
  EPERM: "its parent may not be written",
  EROFS: "its parent may not be written",
  ENOTDIR: "a file stands in its way",
  ENOSPC: "the disk is full",
};

const problemOf = (error: unknown): string => {
  const code = codeOf(error) ?? "";
  return problems[code] ?? (code || String(error));
};

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;

const cannot = (path: string, why: string, cause?: unknown): RunnerError =>
  new RunnerError(
    "config_invalid",
    `the folder ${path} cannot be made: ${why}. Name another with --state-dir`,
    {
      cause,
    },
  );
