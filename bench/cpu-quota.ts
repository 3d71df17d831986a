import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";

/**
 * How a process was limited to its share of a CPU: by the kernel, or by stopping it for a part of each
 * period.
 */
export type QuotaKind = "cgroup v2" | "cgroup v1" | "SIGSTOP and SIGCONT";

export interface Quota {
  readonly kind: QuotaKind;
  release(): void;
}

/** Limits the process to a share of one CPU from now on, as Lambda does once a function is loaded. */
export function limitCpu(pid: number, share: number): Quota {
  for (const group of cgroups) {
    const quota = byCgroup(group, pid, share);
    if (quota) return quota;
  }
  return byTurns(pid, share);
}

/** Microseconds. */
const periodUs = 20_000;

interface Cgroup {
  readonly kind: QuotaKind;
  readonly folder: string;
  /** The contents of the group's files for a quota in microseconds. */
  readonly files: (quotaUs: number) => Readonly<Record<string, string>>;
}

/** https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/scheduler/sched-bwc.html */
const cgroups: readonly Cgroup[] = [
  {
    kind: "cgroup v2",
    folder: "/sys/fs/cgroup",
    files: (quotaUs) => ({ "cpu.max": `${quotaUs} ${periodUs}` }),
  },
  {
    kind: "cgroup v1",
    folder: "/sys/fs/cgroup/cpu",
    files: (quotaUs) => ({ "cpu.cfs_period_us": String(periodUs), "cpu.cfs_quota_us": String(quotaUs) }),
  },
];

/** `undefined` if this process may not create control groups. */
function byCgroup({ kind, folder, files }: Cgroup, pid: number, share: number): Quota | undefined {
  const own = `${folder}/studio-runner-bench-${pid}`;
  try {
    mkdirSync(own);
    for (const [file, text] of Object.entries({
      ...files(Math.round(share * periodUs)),
      "cgroup.procs": String(pid),
    }))
      writeFileSync(`${own}/${file}`, text, { flag: "r+" });
    return { kind, release: () => removeGroup(own) };
  } catch {
    removeGroup(own);
    return undefined;
  }
}

/** A group can be removed only after its process has ended. */
function removeGroup(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // it was never created, or its process is still ending
  }
}

/** Long enough that a timer error of a millisecond is small. */
const turnMs = 100;

/**
 * Waiting counts as working here, which is a small error: servers on the same machine answer within a turn or
 * two.
 */
function byTurns(pid: number, share: number): Quota {
  let timer: NodeJS.Timeout | undefined;
  const turn = (signal: "SIGCONT" | "SIGSTOP"): void => {
    try {
      process.kill(pid, signal);
    } catch {
      return; // the process has ended
    }
    const [next, afterMs] =
      signal === "SIGCONT"
        ? (["SIGSTOP", share * turnMs] as const)
        : (["SIGCONT", (1 - share) * turnMs] as const);
    timer = setTimeout(() => turn(next), afterMs);
  };
  if (share < 1) turn("SIGCONT");
  return { kind: "SIGSTOP and SIGCONT", release: () => clearTimeout(timer) };
}
