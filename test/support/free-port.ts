import { createServer } from "node:net";

/** Below the range from which systems assign free ports, so that nobody gets one of these by chance. */
const range = { from: 10_000, count: 20_000 };

/** A port of this machine that nothing listens on. */
export async function closedPort(): Promise<number> {
  const port = range.from + Math.floor(Math.random() * range.count);
  return (await isClosed(port)) ? port : await closedPort();
}

const isClosed = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
