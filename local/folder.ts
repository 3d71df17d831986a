import { chmodSync, mkdirSync, readdirSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { RunnerError } from "../lib/core/errors.ts";

/** The permissions of all others than the owner. */
const others = 0o077;
/** What `npm start` keeps in its folder; SQLite's own files have longer names. */
const ours = ["stack.json", "studio.sqlite", "cdk.out"];

/**
 * Makes a folder for its owner alone, and those that lead to it. One that is there is closed to others, if there is
 * nothing of theirs in it; then the answer says so. Node's own `recursive` never comes back where the parent exists and
 * still answers "no such folder", as /proc does.
 * @throws RunnerError `config_invalid`
 */
export function makeFolder(path: string): string | undefined {
  const found = look(path);
  if (found === undefined) {
    makeNew(path);
    return undefined;
  }
  if (!found.isDirectory()) throw cannot(path, "a file stands there");
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
    const what = `the folder ${path} is open to other users of this machine, and holds other files than ours`;
    const advice = `Close it with chmod 700 ${path}, or name another with --state-dir`;
    throw new RunnerError("config_invalid", `${what}. ${advice}`);
  }
  chmodSync(path, 0o700);
  return `The folder ${path} was open to other users of this machine: now it is yours alone.`;
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
  const above = look(parent);
  if (above === undefined) makeNew(parent);
  else if (!above.isDirectory()) throw cannot(path, problems["ENOTDIR"] ?? "");
  try {
    mkdirSync(path, { mode: 0o700 });
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
