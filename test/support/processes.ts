import { readdirSync, readFileSync } from "node:fs";

/** Reads a file of a process in /proc; empty if the process has ended. */
function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

/** The process's arguments, or its title if it has set one. */
export const commandLineOf = (pid: number): string => procFile(pid, "cmdline").replaceAll("\0", " ").trim();

/** `NAME=value` entries, as when the process was started. */
export const environmentOf = (pid: number): readonly string[] =>
  procFile(pid, "environ").split("\0").filter(Boolean);

/** A zombie counts as ended, because it only waits for its parent. */
export const isRunning = (pid: number): boolean => /^State:\s+[^Z\s]/m.test(procFile(pid, "status"));

const parentOf = (pid: number): number => Number(/^PPid:\s+(\d+)/m.exec(procFile(pid, "status"))?.[1]);

/** Children, their children and so on, at this moment. */
export function descendantsOf(root: number): readonly number[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parents = new Map(all.map((pid) => [pid, parentOf(pid)]));
  const below = (pid: number): readonly number[] =>
    all.filter((one) => parents.get(one) === pid).flatMap((child) => [child, ...below(child)]);
  return below(root).filter(isRunning);
}
