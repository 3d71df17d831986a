import type { ServerOptions } from "./kinds.ts";
import { startKind } from "./kinds.ts";

/**
 * The entry point of a server's process (client.ts). Its ServerOptions contain keys, so they arrive as the
 * first message.
 */
process.once("message", (options: ServerOptions) => {
  process.title = `studio-runner bench ${options.kind}`;
  void startKind(options).then((facts) => process.send?.(facts));
});
process.once("disconnect", () => process.exit(0));
