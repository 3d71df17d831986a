import { expect, test } from "vitest";
import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import {
  completed,
  message,
  startResponsesServer,
  stored,
  type Answer,
} from "../../support/responses-server.ts";
import { adapter, never, request, thrownBy } from "./support.ts";

const mib = 1024 * 1024;
const timeout = 60_000;

interface Flood {
  readonly answer: Answer;
  /** Bytes that have been taken. */
  readonly sent: () => number;
}

/** Writes a piece again and again, for as long as somebody reads, up to 160 MiB. */
function flood(head: (response: ServerResponse) => void, first: string, piece: string): Flood {
  const chunk = Buffer.from(piece.repeat(Math.ceil(mib / piece.length)));
  let sent = 0;
  const answer: Answer = (response) => {
    head(response);
    response.write(first);
    const more = (): void => {
      while (!response.destroyed && sent < 160 * mib) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", more);
      }
      response.end();
    };
    more();
  };
  return { answer, sent: () => sent };
}

const as =
  (type: string, status = 200) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { "content-type": type });

const events = as("text/event-stream");
const item = JSON.stringify({
  type: "response.output_item.done",
  item: { type: "message", content: [{ type: "output_text", text: "x".repeat(1_000) }] },
});

const floods: readonly (readonly [string, () => Flood, number])[] = [
  ["JSON", () => flood(as("application/json"), '{"id":"resp_1","output":[],"pad":"', "x"), 20],
  ["one event", () => flood(events, "data: ", "x"), 20],
  ["one event of many lines", () => flood(events, "event: response.completed\n", "data: xxxxxxxxxx\n"), 20],
  ["items", () => flood(events, "", `data: ${item}\n\n`), 20],
  [
    "deltas without end",
    () =>
      flood(
        events,
        "",
        `data: ${JSON.stringify({ type: "response.output_text.delta", delta: "x".repeat(300) })}\n\n`,
      ),
    140,
  ],
];

test.each(floods)(
  "an answer of %s is not read to its end, and is not asked for again",
  { timeout },
  async (_, make, mostMib) => {
    const { answer, sent } = make();
    await using server = await startResponsesServer([answer]);
    const error = await thrownBy(adapter(server.baseUrl).model.generate(request, { signal: never }));
    expect(error).toMatchObject({ code: "answer_too_long", retryable: false });
    expect(error.message).toMatch(/^the model's answer is too long: more than \d+ MiB/);
    expect(server.seen).toHaveLength(1);
    expect(sent()).toBeLessThan(mostMib * mib);
  },
);

test("an answer that is small, but would fill the memory, is not parsed", async () => {
  const bomb = `{"id":"resp_1","output":[],"pad":[${"{},".repeat(1_100_000)}{}]}`;
  const answer: Answer = (response) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(bomb);
  await using server = await startResponsesServer([answer]);
  const error = await thrownBy(adapter(server.baseUrl).model.generate(request, { signal: never }));
  expect(error).toMatchObject({ code: "answer_too_long", retryable: false });
});

test(
  "a stored response that is too long is looked at once, and nothing is asked again",
  { timeout },
  async () => {
    const { answer } = flood(as("application/json"), '{"id":"resp_1","output":[],"pad":"', "x");
    await using server = await startResponsesServer([stored("queued"), answer]);
    const { model } = adapter(server.baseUrl, { mode: "auto" });
    const error = await thrownBy(model.generate(request, { signal: never }));
    expect(error).toMatchObject({ code: "answer_too_long" });
    expect(server.seen.map(({ method }) => method)).toEqual(["POST", "GET"]);
  },
);

test("of a refusal no more is read than its words need", { timeout }, async () => {
  const { answer, sent } = flood(as("application/json", 400), '{"error":{"message":"', "x");
  await using server = await startResponsesServer([answer]);
  const error = await thrownBy(adapter(server.baseUrl).model.generate(request, { signal: never }));
  expect(error).toMatchObject({ status: 400, retryable: false });
  expect(sent()).toBeLessThan(10 * mib);
});

test.each([
  ["\n", "\n"],
  ["\r\n", "\r\n"],
  ["\n\r", "\n"],
] as const)(
  "a long stream whose empty lines come in chunks of their own is not one long event: %j, %j",
  { timeout },
  async (lineEnd, eventEnd) => {
    const delta = JSON.stringify({ type: "response.output_text.delta", delta: "x".repeat(30_000) });
    const answer: Answer = (response) => {
      events(response);
      void (async () => {
        for (let sent = 0; sent < 9 * mib; sent += delta.length) {
          response.write(`data: ${delta}${lineEnd}`);
          await setImmediate(); // Node joins what is written at once
          response.write(eventEnd);
          await setImmediate();
        }
        response.end(`data: ${JSON.stringify(completed(message("Hi")))}\n\n`);
      })();
    };
    await using server = await startResponsesServer([answer]);
    const turn = await adapter(server.baseUrl).model.generate(request, { signal: never });
    expect(turn.text).toBe("Hi");
  },
);
