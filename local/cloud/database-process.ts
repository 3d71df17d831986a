/**
 * The main of the DynamoDB process: dynalite on a port of the system's choice, which it tells its parent. Argument: the
 * data folder, empty for memory. dynalite throws from its callbacks where nobody can catch, hence a process of its own.
 */
import type { AddressInfo } from "node:net";
import dynalite from "dynalite";

process.title = "studio-runner dynamodb";
const [path = ""] = process.argv.slice(2);
const server = dynalite({
  ...(path === "" ? {} : { path }),
  createTableMs: 0,
  deleteTableMs: 0,
  updateTableMs: 0,
});

const isAddress = (address: ReturnType<typeof server.address>): address is AddressInfo =>
  typeof address === "object" && address !== null;

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
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (isAddress(address)) process.send?.({ port: address.port });
});
