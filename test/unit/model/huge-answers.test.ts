import { expect, test } from "vitest";
import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { Reply } from "../../support/http-server.ts";
import { completed, message, stored } from "../../support/model-replies.ts";
import { create, look, fixture } from "./support.ts";

const mib = 1024 * 1024;
const timeout = 60_000;

interface Flood {
  readonly answer: Reply;
  /** Bytes written so far. */
  readonly sent: () => number;
}

/** Repeats a piece for as long as the client reads, up to 160 MiB. */
function flood(head: (response: ServerResponse) => void, first: string, piece: string): Flood {
  const chunk = Buffer.from(piece.repeat(Math.ceil(mib / piece.length)));
  let sent = 0;
  const raw = (response: ServerResponse): void => {
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
  return { answer: { raw }, sent: () => sent };
}

const as =
  (type: string, status = 200) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { "content-type": type });

const events = as("text/event-stream");
const json = '{"id":"resp_1","output":[],"pad":"';
const event = (fields: object): string => `data: ${JSON.stringify(fields)}\n\n`;
const item = { type: "message", content: [{ type: "output_text", text: "x".repeat(1_000) }] };
const deltaOf = (length: number) => ({ type: "response.output_text.delta", delta: "x".repeat(length) });

const endless: readonly (readonly [string, () => Flood, number])[] = [
  ["JSON", () => flood(as("application/json"), json, "x"), 20],
  ["one event", () => flood(events, "data: ", "x"), 20],
  ["one event of many lines", () => flood(events, "event: response.completed\n", "data: xxxxxxxxxx\n"), 20],
  ["items", () => flood(events, "", event({ type: "response.output_item.done", item })), 20],
  ["deltas", () => flood(events, "", event(deltaOf(300))), 140],
];

test.each(endless)(
  "an endless answer of %s is read only up to its limit and is not requested again",
  { timeout },
  async (_, make, mostMib) => {
    const { answer, sent } = make();
    const { failure, server } = await fixture([answer]);
    const error = await failure();
    expect(error).toMatchObject({ code: "answer_too_long", retryable: false });
    expect(error.message).toMatch(/^the model's answer is too long: more than \d+ MiB/);
    expect(server.requests).toHaveLength(1);
    expect(sent()).toBeLessThan(mostMib * mib);
  },
);

test("a small answer that would expand to fill the memory is not parsed", async () => {
  const bomb = `{"id":"resp_1","output":[],"pad":[${"{},".repeat(1_100_000)}{}]}`;
  const { failure } = await fixture([{ headers: { "content-type": "application/json" }, body: bomb }]);
  expect(await failure()).toMatchObject({ code: "answer_too_long", retryable: false });
});

test("a stored response that is too long is read once and not requested again", { timeout }, async () => {
  const { answer } = flood(as("application/json"), json, "x");
  const { calls, failure } = await fixture([stored("queued"), answer], { mode: "auto" });
  expect(await failure()).toMatchObject({ code: "answer_too_long" });
  expect(calls()).toEqual([create, look]);
});

test("an endless error body is read only up to a limit", { timeout }, async () => {
  const { answer, sent } = flood(as("application/json", 400), '{"error":{"message":"', "x");
  const { failure } = await fixture([answer]);
  expect(await failure()).toMatchObject({ status: 400, retryable: false });
  expect(sent()).toBeLessThan(10 * mib);
});

test.each([
  ["\n", "\n"],
  ["\r\n", "\r\n"],
  ["\n\r", "\n"],
] as const)(
  "a long stream whose line endings arrive in separate chunks (%j, %j) is split into events",
  { timeout },
  async (lineEnd, eventEnd) => {
    const delta = JSON.stringify(deltaOf(30_000));
    const raw = async (response: ServerResponse): Promise<void> => {
      events(response);
      for (let sent = 0; sent < 9 * mib; sent += delta.length) {
        response.write(`data: ${delta}${lineEnd}`);
        await setImmediate(); // Node joins what is written at once
        response.write(eventEnd);
        await setImmediate();
      }
      response.end(event(completed(message("Hi"))));
    };
    const { ask } = await fixture([{ raw: (response) => void raw(response) }]);
    expect((await ask()).text).toBe("Hi");
  },
);
