import { readdirSync, readFileSync } from "node:fs";

interface ProcessCpu {
  readonly title: string;
  readonly cpuMs: number;
}

/** CPU time of this process and its descendants so far, by pid. Empty if there is no /proc. */
export type CpuByPid = ReadonlyMap<number, ProcessCpu>;

/** The kernel's unit of CPU time (USER_HZ). */
const tickMs = 10;
/** This process, which includes the local cloud's Lambda and scheduler. */
const ownTitle = "bench itself";

export function readProcessCpu(): CpuByPid {
  const all = new Map(pids().flatMap((pid) => readProcess(pid) ?? []));
  const isOurs = (pid: number): boolean =>
    pid === process.pid || (all.has(pid) && isOurs(all.get(pid)?.parent ?? 0));
  return new Map([...all].filter(([pid]) => isOurs(pid)));
}

/** CPU time by title, highest first. Leaves out processes that used almost nothing or have ended. */
export function cpuBetween(before: CpuByPid, after: CpuByPid): readonly ProcessCpu[] {
  const byTitle = new Map<string, number>();
  for (const [pid, { title, cpuMs }] of after) {
    const usedMs = cpuMs - (before.get(pid)?.cpuMs ?? 0);
    byTitle.set(title, (byTitle.get(title) ?? 0) + usedMs);
  }
  return [...byTitle]
    .map(([title, cpuMs]) => ({ title, cpuMs }))
    .filter(({ cpuMs }) => cpuMs >= 50)
    .toSorted((a, b) => b.cpuMs - a.cpuMs);
}

function pids(): readonly number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** A process may end while it is read. */
function readProcess(pid: number): readonly [[number, ProcessCpu & { readonly parent: number }]] | undefined {
  try {
    const [command = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: after the name in brackets, the parent is
    // the 2nd field, user time the 12th and system time the 13th.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * tickMs;
    const title = pid === process.pid ? ownTitle : command.replace(/^studio-runner /, "");
    return [[pid, { title, cpuMs, parent: Number(fields[1]) }]];
  } catch {
    return undefined;
  }
}
