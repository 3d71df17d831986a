/**
 * The main of the DynamoDB process: dynalite on a socket, which tells its parent when it listens. Arguments: the socket's
 * path, and the data folder, empty for memory. dynalite throws from its callbacks where nobody can catch, hence a process
 * of its own.
 */
import dynalite from "dynalite";

process.title = "studio-runner dynamodb";
process.umask(0o077);
const [socketPath = "", path = ""] = process.argv.slice(2);
const server = dynalite({
  ...(path === "" ? {} : { path }),
  createTableMs: 0,
  deleteTableMs: 0,
  updateTableMs: 0,
});

// Its one caller keeps its connections.
server.keepAliveTimeout = 0;

/** A caller that was killed in mid-request is the caller's trouble, not the database's. */
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
server.listen(socketPath, () => void process.send?.("listening"));
