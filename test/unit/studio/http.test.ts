import OpenAI from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHttp, type Http } from "../../../lib/http.ts";
import { startHttpServer, type Answerer, type HttpServer } from "../../support/http-server.ts";

async function scene(answer: Answerer): Promise<{ readonly http: Http; readonly server: HttpServer }> {
  const server = await startHttpServer(answer);
  const http = createHttp();
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

  it("fails what is under way when it is closed", async () => {
    const { http, server } = await scene(() => ({ raw: () => undefined }));
    const answer = http.fetch(server.baseUrl);
    await Promise.all([
      expect(answer).rejects.toThrow("fetch failed"),
      server.received(1).then(() => http.close()),
    ]);
  });

  it("serves the openai SDK as its fetch, streams included", async () => {
    const { http, server } = await scene(() => ({
      headers: { "content-type": "text/event-stream" },
      body: 'event: response.created\ndata: {"type":"response.created","sequence_number":0}\n\n',
    }));
    const client = new OpenAI({ apiKey: "k", baseURL: server.baseUrl, fetch: http.fetch, maxRetries: 0 });
    const stream = await client.responses.create({ model: "m", input: "Hello", stream: true });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types).toEqual(["response.created"]);
    expect(server.requests[0]?.json()).toMatchObject({ input: "Hello", stream: true });
    expect(server.requests[0]?.headers.authorization).toBe("Bearer k");
  });
});
