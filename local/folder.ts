import { chmodSync, mkdirSync, readdirSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { RunnerError } from "../lib/core/errors.ts";

/** The permission bits of everybody but the owner. */
const others = 0o077;
/** What `npm start` keeps in its folder. SQLite adds files whose names start with its file's name. */
const ours = ["stack.json", "studio.sqlite", "cdk.out", "cloud"];

/**
 * Creates a folder, and its missing parents, for its owner alone. Restricts an existing folder if it contains
 * nothing but this project's files, and returns a sentence about it. Does not use Node's `recursive`, which
 * never returns if the parent exists and still answers "no such folder", as in /proc.
 * @throws RunnerError `config_invalid`
 */
export function makeFolder(path: string): string | undefined {
  const found = look(path);
  if (found === undefined) {
    makeNew(path);
    return undefined;
  }
  if (!found.isDirectory()) throw cannot(path, "there is a file with this name");
  return close(path, found);
}

function close(path: string, { uid, mode }: Stats): string | undefined {
  const self = process.getuid?.();
  if (self === undefined) return undefined; // Windows has no such permissions
  if (uid !== self) {
    throw new RunnerError(
      "config_invalid",
      `the folder ${path} belongs to another user. Name another with --state-dir`,
    );
  }
  if ((mode & others) === 0) return undefined;
  if (readdirSync(path).some((name) => !ours.some((own) => name.startsWith(own)))) {
    const what = `the folder ${path} is open to other users of this machine, and contains files that are not the runner's`;
    const advice = `Close it with chmod 700 ${path}, or name another with --state-dir`;
    throw new RunnerError("config_invalid", `${what}. ${advice}`);
  }
  chmodSync(path, 0o700);
  return `The folder ${path} was open to other users of this machine. It is now restricted to you.`;
}

/** Returns the same error for a path below a file, in an unreadable folder, and so on. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw cannot(path, problemOf(error), error);
  }
}

function makeNew(path: string): void {
  const parent = dirname(path);
  const above = look(parent);
  if (above === undefined) makeNew(parent);
  else if (!above.isDirectory()) throw cannot(path, problems["ENOTDIR"] ?? "");
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process created it first.
    if (codeOf(error) === "EEXIST") return;
    throw cannot(path, problemOf(error), error);
  }
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: "its parent does not allow it",
  EACCES: "its parent is not writable",
  EPERM: "its parent is not writable",
  EROFS: "its parent is not writable",
  ENOTDIR: "a part of its path is a file",
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
