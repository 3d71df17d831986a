import type { IncomingMessage } from "node:http";

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
