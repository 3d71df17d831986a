import { once } from "node:events";
import { createServer as createPlain, type RequestListener } from "node:http";
import { createServer as createTls } from "node:https";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { generate } from "selfsigned";
import { describe, expect, it, onTestFinished } from "vitest";
import { brokenExchange, createHttp } from "../../../lib/adapters/http.ts";
import { startHttpServer, type Answerer } from "../../support/http-server.ts";

const silence = Symbol("silence");

/** A certificate for this machine, which this process then trusts. */
async function selfSigned(): Promise<{ readonly key: string; readonly cert: string }> {
  const altNames = [{ type: 7 as const, ip: "127.0.0.1" }];
  const extensions = [{ name: "subjectAltName" as const, altNames }];
  const { private: key, cert } = await generate([{ name: "commonName", value: "127.0.0.1" }], { extensions });
  setDefaultCACertificates([...getCACertificates("default"), cert]);
  return { key, cert };
}

/** Listens on a free port of this machine, and closes when the test ends. */
async function listening(server: NetServer, scheme: string): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `${scheme}://127.0.0.1:${typeof address === "object" ? address?.port : undefined}`;
}

async function fixture(answer: Answerer) {
  const server = await startHttpServer(answer);
  const http = createHttp();
  onTestFinished(async () => {
    await http.close();
    await server.close();
  });
  return { http, server };
}

describe("createHttp", () => {
  it("closes the connection of an aborted request", async () => {
    const closed = Promise.withResolvers<void>();
    const { http, server } = await fixture(() => ({
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

  it("does not follow redirects", async () => {
    const { http, server } = await fixture(() => ({ status: 307, headers: { location: "/elsewhere" } }));
    const answer = await http.fetch(server.baseUrl, { method: "POST", body: "{}" });
    expect([answer.status, answer.headers.get("Location"), await answer.text()]).toEqual([
      307,
      "/elsewhere",
      "",
    ]);
    expect(server.requests).toHaveLength(1);
  });

  it("fails when the connection is not established in time", async () => {
    // Accepts connections but sends nothing, so the TLS handshake never ends.
    const url = await listening(createServer(), "https");
    const http = createHttp({ connectMs: 50 });
    await expect(http.fetch(url)).rejects.toMatchObject({
      message: "fetch failed",
      cause: { code: "UND_ERR_CONNECT_TIMEOUT" },
    });
  });

  it.each(["http", "https"])(
    "fails when no answer comes in time, on a new %s connection and on a reused one",
    async (scheme) => {
      const answers = [silence, "ok", silence];
      const listener: RequestListener = (_, response) => {
        const answer = answers.shift();
        if (answer !== silence) response.end(answer);
      };
      const server = scheme === "http" ? createPlain(listener) : createTls(await selfSigned(), listener);
      const url = await listening(server, scheme);
      const http = createHttp();
      onTestFinished(() => http.close());
      const limited = { dispatcher: http.silentFor(500) };
      const cut = { message: "fetch failed", cause: { code: "UND_ERR_HEADERS_TIMEOUT" } };
      await expect(http.fetch(url, limited)).rejects.toMatchObject(cut);
      expect(await (await http.fetch(url, limited)).text()).toBe("ok");
      await expect(http.fetch(url, limited)).rejects.toMatchObject(cut);
    },
  );

  it("does not mistake a wrong call for a broken exchange", async () => {
    const { http, server } = await fixture(() => ({ body: {} }));
    const wrong = await http
      .fetch(server.baseUrl, { dispatcher: http.silentFor(-1) })
      .catch((error) => error);
    expect(wrong).toMatchObject({ message: "fetch failed", cause: { code: "UND_ERR_INVALID_ARG" } });
    expect(brokenExchange(wrong)).toBeUndefined();
  });

  it("rejects requests in progress when it is closed", async () => {
    const { http, server } = await fixture(() => ({ raw: () => undefined }));
    const answer = http.fetch(server.baseUrl);
    await Promise.all([
      expect(answer).rejects.toThrow("fetch failed"),
      server.received(1).then(() => http.close()),
    ]);
  });
});
