import { createServer, type IncomingMessage } from "node:http";
import { stop } from "./http.ts";
import { readAsset } from "./studio/assets.ts";
import { type Answer, type StreamAnswer, errorAnswer, readBody, send, splitTarget } from "./studio/http.ts";
import { listenOn } from "./studio/listener.ts";
import { answerFromTable, refuseOtherSites, requireMethod, type TableRoute } from "./studio/page-server.ts";

export interface PagesServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves only the runner's own pages on 127.0.0.1, for when another Studio than the local one is used.
 * @throws RunnerError `config_invalid` if the port is not available
 */
export async function startPagesServer(
  routes: readonly TableRoute<unknown>[],
  wantedPort: number,
): Promise<PagesServer> {
  const server = createServer((request, response) => {
    answer(routes, request).then(
      (found) => send(response, found),
      (error: unknown) => send(response, errorAnswer(error)),
    );
  });
  const port = await listenOn(server, wantedPort);
  return { url: `http://127.0.0.1:${port}`, close: () => stop(server) };
}

async function answer(
  routes: readonly TableRoute<unknown>[],
  request: IncomingMessage,
): Promise<Answer | StreamAnswer> {
  refuseOtherSites(request);
  const { path } = splitTarget(request);
  if (path === "/") return { status: 302, headers: { location: "/runs" }, body: "" };
  if (!path.startsWith("/page/")) {
    return answerFromTable(routes, undefined, { request, text: await readBody(request) });
  }
  requireMethod(request, ["GET"]);
  return readAsset(path.slice("/page/".length));
}
