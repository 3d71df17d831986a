import { once } from "node:events";
import { createServer as createPlain, type RequestListener } from "node:http";
import { createServer as createTls } from "node:https";
import { createServer, type Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { generate } from "selfsigned";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHttp, type Http, type HttpOptions } from "../../../lib/http.ts";
import { startHttpServer, type Answerer, type HttpServer } from "../../support/http-server.ts";

const silence = Symbol("silence");

/** A certificate for this machine, which this process then takes. */
async function selfSigned(): Promise<{ readonly key: string; readonly cert: string }> {
  const altNames = [{ type: 7 as const, ip: "127.0.0.1" }];
  const extensions = [{ name: "subjectAltName" as const, altNames }];
  const { private: key, cert } = await generate([{ name: "commonName", value: "127.0.0.1" }], { extensions });
  setDefaultCACertificates([...getCACertificates("default"), cert]);
  return { key, cert };
}

interface Scene {
  readonly http: Http;
  readonly server: HttpServer;
}

async function scene(answer: Answerer, options?: HttpOptions): Promise<Scene> {
  const server = await startHttpServer(answer);
  const http = createHttp(options);
  onTestFinished(async () => {
    await http.close();
    await server.close();
  });
  return { http, server };
}

describe("createHttp", () => {
  it("keeps connections for the next requests", async () => {
    const ports = new Set<number | undefined>();
    const { http, server } = await scene(() => ({
      raw: (response) => {
        ports.add(response.socket?.remotePort);
        response.end("ok");
      },
    }));
    for (const _ of Array(10).keys()) expect(await (await http.fetch(server.baseUrl)).text()).toBe("ok");
    // A second one comes about while the first is still being handed back.
    expect(ports.size).toBeLessThanOrEqual(3);
  });

  it("cuts the connection of an aborted request", async () => {
    const closed = Promise.withResolvers<void>();
    const { http, server } = await scene(() => ({
      raw: (response) => void response.once("close", closed.resolve),
    }));
    const caller = new AbortController();
    const reason = new Error("enough");
    const answer = http.fetch(server.baseUrl, { signal: caller.signal });
    await server.received(1);
    caller.abort(reason);
    await expect(answer).rejects.toBe(reason);
    await closed.promise;
  });

  it("drops a connection that is unused for long", async () => {
    const ports = new Set<number | undefined>();
    const { http, server } = await scene(
      () => ({
        raw: (response) => {
          ports.add(response.socket?.remotePort);
          response.end("ok");
        },
      }),
      { keepAliveMs: 20 },
    );
    for (const _ of Array(3).keys()) {
      await (await http.fetch(server.baseUrl)).text();
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(ports.size).toBe(3);
  });

  it("reads no more than 16 MiB of a text", async () => {
    const { http, server } = await scene(() => ({
      raw: (response) => {
        const chunk = Buffer.alloc(1024 * 1024);
        const more = (left: number): void => {
          if (left > 0 && !response.destroyed) response.write(chunk, () => more(left - 1));
          else response.end();
        };
        more(40);
      },
    }));
    const answer = await http.fetch(server.baseUrl);
    await expect(answer.text()).rejects.toMatchObject({
      message: "terminated",
      cause: { code: "ERR_ANSWER_TOO_LONG" },
    });
  });

  it("follows no redirect", async () => {
    const { http, server } = await scene(() => ({ status: 307, headers: { location: "/elsewhere" } }));
    const answer = await http.fetch(server.baseUrl, { method: "POST", body: "{}" });
    expect([answer.status, answer.headers.get("Location"), await answer.text()]).toEqual([
      307,
      "/elsewhere",
      "",
    ]);
    expect(server.requests).toHaveLength(1);
  });

  it("gives up a connection that does not come about", async () => {
    // A listener that accepts and never speaks: TLS waits for its greeting.
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const sockets = new Set<Socket>();
    silent.on("connection", (socket) => sockets.add(socket));
    const http = createHttp({ connectTimeoutMs: 50 });
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await expect(http.fetch(`https://127.0.0.1:${port}`)).rejects.toMatchObject({
      message: "fetch failed",
      cause: { code: "ETIMEDOUT" },
    });
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it.each(["http", "https"])(
    "cuts an answer that is silent, on a new %s connection and on a kept one",
    async (scheme) => {
      const answers = [silence, "ok", silence];
      const listener: RequestListener = (_, response) => {
        const answer = answers.shift();
        if (answer !== silence) response.end(answer);
      };
      const server = scheme === "http" ? createPlain(listener) : createTls(await selfSigned(), listener);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const url = `${scheme}://127.0.0.1:${typeof address === "object" ? address?.port : undefined}`;
      const http = createHttp({ silenceMs: 500 });
      onTestFinished(async () => {
        await http.close();
        server.closeAllConnections();
        server.close();
      });
      const cut = {
        message: "fetch failed",
        cause: { code: "ETIMEDOUT", message: "no answer within 500 ms" },
      };
      await expect(http.fetch(url)).rejects.toMatchObject(cut);
      expect(await (await http.fetch(url)).text()).toBe("ok");
      await expect(http.fetch(url)).rejects.toMatchObject(cut);
    },
  );

  it("fails when the other side closes without an answer", async () => {
    const { http, server } = await scene(() => ({
      raw: ({ socket }) =>
        void socket?.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
    }));
    await expect(http.fetch(server.baseUrl)).rejects.toMatchObject({
      message: "fetch failed",
      cause: { code: "ECONNRESET" },
    });
  });

  it("fails what is under way when it is closed", async () => {
    const { http, server } = await scene(() => ({ raw: () => undefined }));
    const answer = http.fetch(server.baseUrl);
    await Promise.all([
      expect(answer).rejects.toThrow("fetch failed"),
      server.received(1).then(() => http.close()),
    ]);
  });

  it("waits for a silent answer for longer than it keeps an unused connection", async () => {
    const { http, server } = await scene(
      () => ({
        raw: (response) => {
          setTimeout(() => response.write("slow "), 60);
          setTimeout(() => response.end("but sure"), 120);
        },
      }),
      { keepAliveMs: 20 },
    );
    expect(await (await http.fetch(server.baseUrl)).text()).toBe("slow but sure");
  });
});
