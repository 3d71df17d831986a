import { spawn } from "node:child_process";
import { once } from "node:events";

/** Reads "+ pid" and "- pid"; when its input ends, whatever is still listed is killed with its whole process group. */
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
 * A small shell process that outlives us by a moment. A frozen environment cannot notice that its parent was killed, so
 * someone else has to: the kernel closes our end of the pipe, however we die.
 */
export function startWarden(): Warden {
  const child = spawn("/bin/sh", ["-c", script, "studio-runner warden"], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // Ctrl-C in the terminal must not reach it
    env: { PATH: "/usr/bin:/bin" },
  });
  child.stdin.on("error", () => undefined); // it was killed by hand: environments still end at their IPC disconnect
  const ended = once(child, "exit").then(
    () => undefined,
    () => undefined, // no /bin/sh here
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

/** The process and everything it started; it may be gone already. Needs a process that was spawned detached. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 0) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: ended between our look and our signal
  }
}
