import { startKind, type ServerOptions } from "./kinds.ts";

/** The main of a server's process (client.ts). Argument: ServerOptions as JSON. */
const options: ServerOptions = JSON.parse(process.argv[2] ?? "{}");

process.title = `studio-runner bench ${options.kind}`;
process.once("disconnect", () => process.exit(0));
process.send?.(await startKind(options));
