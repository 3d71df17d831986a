import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerOptions } from "./kinds.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

export interface Server {
  readonly url: string;
  /** Other values from the server, by name. */
  readonly facts: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** A server in a process of its own, so that measurements do not wait for its event loop. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const child = fork(main, { execArgv: [], stdio: "inherit" });
  child.send(options);
  const ended = once(child, "exit");
  const [facts]: { readonly url: string }[] = await Promise.race([
    once(child, "message"),
    ended.then(() => {
      throw new Error(`the server "${options.kind}" did not start`);
    }),
  ]);
  return {
    url: facts?.url ?? "",
    facts: { ...facts },
    close: async () => {
      child.disconnect();
      await ended;
    },
  };
}

/** Sends and receives JSON at a server's own routes. */
export async function call(method: "GET" | "POST" | "DELETE", url: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(url, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}
