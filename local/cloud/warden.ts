import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Reads "+ pid" and "- pid". When its input ends, kills the process group of every pid that is still listed.
 */
const script = `live=""
while read -r op pid; do
  case "$op" in
    +) live="$live $pid" ;;
    -) rest=""; for one in $live; do [ "$one" = "$pid" ] || rest="$rest $one"; done; live="$rest" ;;
  esac
done
for one in $live; do kill -s KILL -- "-$one" 2>/dev/null; done
exit 0`;

export interface Warden {
  add(pid: number): void;
  remove(pid: number): void;
  close(): Promise<void>;
}

/**
 * Starts a small shell process that outlives this one briefly. A frozen environment cannot notice that its
 * parent was killed, but the kernel always closes this end of the pipe.
 */
export function startWarden(): Warden {
  const child = spawn("/bin/sh", ["-c", script, "studio-runner warden"], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // Ctrl-C in the terminal must not reach it
    env: { PATH: "/usr/bin:/bin" },
  });
  child.stdin.on("error", () => undefined); // if it was killed, environments still end when their IPC disconnects
  const ended = once(child, "exit").then(
    () => undefined,
    () => undefined, // there is no /bin/sh
  );
  return {
    add: (pid) => void child.stdin.write(`+ ${pid}\n`),
    remove: (pid) => void child.stdin.write(`- ${pid}\n`),
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

/**
 * Signals a process and everything that it started, if it still runs. The process must have been spawned
 * detached.
 */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 0) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: it has ended in the meantime.
  }
}
