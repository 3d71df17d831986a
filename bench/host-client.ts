import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { limitCpu, type QuotaKind } from "./cpu-quota.ts";
import type { HostReply, HostRequest } from "./host-messages.ts";

export interface HostOptions {
  /** Where `host.cjs` is. */
  readonly folder: string;
  /** The bundle that exports `handler`. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of one CPU, once the bundle has been loaded: all of it and more where absent. */
  readonly cpuShare?: number;
}

export interface Host {
  /** The bundle is loaded, and from now on `cpuShare` holds: how, where it was given. */
  readonly ready: Promise<QuotaKind | undefined>;
  /** One invocation at a time. @throws Error when the handler throws, or its process ends */
  invoke(request: HostRequest): Promise<HostReply>;
  close(): Promise<void>;
}

/** A fresh process that loads the bundle and waits for events. */
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
    close: async () => {
      child.kill("SIGKILL");
      await ended;
      (await quota.catch(() => undefined))?.release();
    },
  };
}
