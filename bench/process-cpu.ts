import { readdirSync, readFileSync } from "node:fs";

/** CPU so far of every process of the local stack and the bench, by title; milliseconds. Empty where there is no /proc. */
export type ProcessCpu = ReadonlyMap<string, number>;

/** What the kernel counts CPU in (USER_HZ). */
const tickMs = 10;

export function readProcessCpu(): ProcessCpu {
  const cpu = new Map<string, number>();
  for (const pid of pids()) {
    const process = readProcess(pid);
    if (process) cpu.set(process.title, (cpu.get(process.title) ?? 0) + process.cpuMs);
  }
  return cpu;
}

/** Most first; what took next to nothing is left out. */
export function cpuBetween(
  before: ProcessCpu,
  after: ProcessCpu,
): readonly { readonly title: string; readonly cpuMs: number }[] {
  return [...after]
    .map(([title, cpuMs]) => ({ title, cpuMs: cpuMs - (before.get(title) ?? 0) }))
    .filter(({ cpuMs }) => cpuMs >= 50)
    .toSorted((a, b) => b.cpuMs - a.cpuMs);
}

function pids(): readonly string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Ours have a title of their own, and this very process. A process may end while it is looked at. */
function readProcess(pid: string): { readonly title: string; readonly cpuMs: number } | undefined {
  try {
    const [command = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    const isOurs = command.startsWith("studio-runner ");
    if (!isOurs && pid !== String(process.pid)) return undefined;
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: behind the name in brackets utime is the 12th, stime the 13th.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * tickMs;
    return { title: isOurs ? command.replace(/^studio-runner /, "") : "lambda", cpuMs };
  } catch {
    return undefined;
  }
}
