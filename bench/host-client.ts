import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { limitCpu, type QuotaKind } from "./cpu-quota.ts";
import type { HostReply, HostRequest } from "./host-messages.ts";

export interface HostOptions {
  /** The folder of `host.cjs`. */
  readonly folder: string;
  /** The bundle that exports `handler`. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** Share of one CPU once the bundle is loaded. Absent: not limited. */
  readonly cpuShare?: number;
}

export interface Host extends AsyncDisposable {
  /** Resolves when the bundle is loaded and the CPU limit applies, with the kind of limit, if any. */
  readonly ready: Promise<QuotaKind | undefined>;
  /** Runs one invocation at a time. @throws Error if the handler throws or its process ends */
  invoke(request: HostRequest): Promise<HostReply>;
}

/** Starts a new process that loads the bundle and waits for events. */
export function startHost({ folder, file, env, cpuShare }: HostOptions): Host {
  const child = fork(join(folder, "host.cjs"), [file], {
    env: { ...env },
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  const failed = ended.then(() => {
    throw new Error(`the process of ${file} ended`);
  });
  failed.catch(() => undefined);
  const quota = Promise.race([once(child, "message"), failed]).then(() =>
    cpuShare === undefined ? undefined : limitCpu(child.pid ?? 0, cpuShare),
  );
  return {
    ready: quota.then((limit) => limit?.kind),
    invoke: async (request) => {
      await quota;
      child.send(request);
      const reply: HostReply = await Promise.race([
        once(child, "message").then(([message]) => message),
        failed,
      ]);
      if (reply.error !== undefined) throw new Error(`${file}: ${reply.error}`);
      return reply;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended;
      (await quota.catch(() => undefined))?.release();
    },
  };
}
