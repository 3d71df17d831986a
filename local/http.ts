import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";

const names = ["127.0.0.1", "localhost", "[::1]"];

export const foreignHost =
  "This server answers as 127.0.0.1 or localhost only, with its own port in the Host header, because another name may be a trick to lead a browser here.";

/**
 * Whether the request's Host header is a name of this machine. Otherwise a page whose name was made to
 * resolve to 127.0.0.1 (DNS rebinding) could read every answer.
 */
export function isOwnHost({ headers, socket }: Pick<IncomingMessage, "headers" | "socket">): boolean {
  return names.some((name) => headers.host === `${name}:${socket.localPort}`);
}

/**
 * Splits `/~NAME/path`. A base address may name its caller in this way. The local servers remove the name and
 * record it in their journals, so that tests can tell apart processes that share a key.
 */
export function splitCaller(path: string): { readonly caller?: string; readonly path: string } {
  const [, caller, rest] = /^\/~([^/]+)(\/.*)$/.exec(path) ?? [];
  return caller === undefined || rest === undefined ? { path } : { caller, path: rest };
}

/**
 * Reads the whole body as text. Beyond the limit it discards the rest, so that the client can read the answer.
 * @throws what `tooLarge` returns
 */
export function readText(request: IncomingMessage, maxBytes: number, tooLarge: () => Error): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= maxBytes) return;
      chunks.length = 0;
      reject(tooLarge());
    });
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.on("error", reject);
    request.on("close", () => reject(new Error("the request was cut off")));
  });
}

/** Listens on 127.0.0.1 only and returns the port. 0 is any free port. @throws Error with `code: "EADDRINUSE"` */
export async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

/** Closes every connection at once, including those that wait for an answer. */
export async function stop(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
