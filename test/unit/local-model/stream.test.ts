import { expect, test } from "vitest";
import { createFakeClock } from "../../support/fake-clock.ts";
import type { SeenEvent } from "./model-server.ts";
import { cello, eventually, parseEvents, runModel } from "./model-server.ts";

const typesOf = (events: readonly SeenEvent[]): string[] =>
  events.map((event) => event.type).filter((type, index, all) => type !== all[index - 1]);

test("a message is streamed in the API's order of events, numbered from 0", async () => {
  const { call } = await runModel();
  const { text: stream, headers } = await call("POST", "/responses", { ...cello, tools: [], stream: true });
  const events = parseEvents(stream);

  expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(typesOf(events).join(" ").replaceAll("response.", "")).toBe(
    "created in_progress output_item.added output_item.done output_item.added content_part.added " +
      "output_text.delta output_text.done content_part.done output_item.done completed",
  );
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  expect(events[0]?.response).toMatchObject({ status: "in_progress", output: [], usage: null });
  const deltas = events.filter((event) => event.type === "response.output_text.delta");
  const item = events.at(-1)?.response.output[1];
  const part = item?.type === "message" ? item.content[0] : undefined;
  const text = part?.type === "output_text" ? part.text : "none";
  expect(deltas.length).toBeGreaterThan(2);
  expect(deltas.map((event) => event.delta).join("")).toBe(text);
  expect(events.find((event) => event.type === "response.output_text.done")?.text).toBe(text);
});

test("a generation ends when its client disconnects mid-stream", async () => {
  const clock = createFakeClock(1_000);
  const { model, client } = await runModel({ clock, latencyMs: 10_000 });
  const stream = await client.responses.create({ ...cello, stream: true });
  const first = await stream[Symbol.asyncIterator]().next();
  const id = first.value?.type === "response.created" ? first.value.response.id : "";
  expect(model.requests()).toMatchObject([{ aborted: false, status: 200 }]);

  stream.controller.abort();

  await eventually(() => (model.requests()[0]?.aborted ? true : undefined));
  expect(clock.sleeping()).toBe(0);
  expect(await client.responses.retrieve(id)).toMatchObject({ status: "cancelled", output: [] });
});
