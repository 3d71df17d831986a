import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { HostReply, HostRequest } from "./host-messages.ts";

export interface HostOptions {
  /** Where `host.cjs` is. */
  readonly folder: string;
  /** The bundle that exports `handler`. */
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Host {
  /** One invocation at a time. @throws Error when the handler throws, or its process ends */
  invoke(request: HostRequest): Promise<HostReply>;
  close(): Promise<void>;
}

/** A fresh process that loads the bundle and waits for events. */
export function startHost({ folder, file, env }: HostOptions): Host {
  const child = fork(join(folder, "host.cjs"), [file], {
    env: { ...env },
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit");
  return {
    invoke: async (request) => {
      child.send(request);
      const reply: HostReply = await Promise.race([
        once(child, "message").then(([message]) => message),
        ended.then(() => {
          throw new Error(`the process of ${file} ended`);
        }),
      ]);
      if (reply.error !== undefined) throw new Error(`${file}: ${reply.error}`);
      return reply;
    },
    close: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
