/**
 * The entry point of the DynamoDB process: dynalite on a socket. Tells the parent when it listens. Arguments:
 * the socket's path, and the data folder (empty: in memory). It is a separate process because dynalite throws
 * from callbacks, where nothing can catch the error.
 */
import dynalite from "dynalite";
import { saveCompiled } from "./compile-cache.ts";

process.title = "studio-runner dynamodb";
process.umask(0o077);
const [socketPath = "", path = ""] = process.argv.slice(2);
const server = dynalite({
  ...(path === "" ? {} : { path }),
  createTableMs: 0,
  deleteTableMs: 0,
  updateTableMs: 0,
});

// Its only caller keeps its connections open.
server.keepAliveTimeout = 0;

/** A request whose caller was killed is not an error of the database. */
const isAbortedRequest = (error: Error): boolean => "code" in error && error.code === "ECONNRESET";

function close(): void {
  server.close(() => process.exit(0));
  server.closeAllConnections();
}

process.on("uncaughtException", (error) => {
  if (isAbortedRequest(error)) return;
  process.stderr.write(`${error.stack ?? error.message}\n`);
  process.exit(1);
});
process.on("disconnect", close);
process.on("SIGTERM", close);
server.listen(socketPath, () => {
  process.send?.("listening");
  saveCompiled();
});
