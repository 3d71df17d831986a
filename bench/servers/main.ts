import { kinds, type ServerOptions } from "./kinds.ts";

/** The main of a server's process (client.ts). Argument: ServerOptions as JSON. */
const options: ServerOptions = JSON.parse(process.argv[2] ?? "{}");

function start() {
  switch (options.kind) {
    case "studio":
      return kinds.studio(options);
    case "model":
      return kinds.model(options);
    case "aws":
      return kinds.aws(options);
  }
}

process.title = `studio-runner bench ${options.kind}`;
process.once("disconnect", () => process.exit(0));
process.send?.(await start());
