import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import type { Clock } from "../../lib/core/clock.ts";
import { signalGroup } from "./warden.ts";

/**
 * Calls `onLine` for each line, including a last one without a line end. Splits at \n only, because a line
 * may contain \r.
 */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}

/** Resolves with how a process group's leader ended: "exit status 1", "signal: killed". */
export function exitOf(child: ChildProcess, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`could not start: ${error.message}`));
    child.once("exit", (code, signal) => {
      signalGroup(child.pid ?? 0, "SIGKILL"); // ends the processes that it started too
      const how = signal === null ? `exit status ${code ?? 0}` : `signal: ${signalNames[signal] ?? signal}`;
      // Waits for output that is still in the pipes, but not forever: another process may hold them open.
      void Promise.race([once(child, "close"), clock.sleep(500)]).then(() => resolve(how));
    });
  });
}

const signalNames: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGKILL: "killed",
  SIGABRT: "aborted",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
};

export interface Memory {
  readonly residentMb: number;
  readonly peakMb: number;
}

/** Undefined if there is no /proc, or if the process has exited. */
export function memoryOf(pid: number): Memory | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const megabytes = (field: string): number =>
      Math.ceil(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024);
    return { residentMb: megabytes("VmRSS"), peakMb: megabytes("VmHWM") };
  } catch {
    return undefined;
  }
}
