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

test("a call's arguments are streamed in deltas that add up to its JSON", async () => {
  const { call } = await runModel();
  const { text } = await call("POST", "/responses", { ...cello, stream: true });
  const events = parseEvents(text);

  const done = events.filter((event) => event.type === "response.function_call_arguments.done");
  expect(done.map((event) => event.output_index)).toEqual([1, 2, 3]);
  for (const { item_id, arguments: whole } of done) {
    const pieces = events.filter(
      (event) => event.type === "response.function_call_arguments.delta" && event.item_id === item_id,
    );
    expect(pieces.map((event) => event.delta).join("")).toBe(whole);
    expect(JSON.parse(whole)).toEqual(expect.any(Object));
  }
});

test("a refusal and an incomplete response are streamed with their own events", async () => {
  const { call } = await runModel();
  const eventsOf = async (input: string) =>
    parseEvents((await call("POST", "/responses", { ...cello, input, stream: true })).text);

  expect(typesOf(await eventsOf("[[refuse]]"))).toContain("response.refusal.done");
  expect((await eventsOf("[[incomplete]]")).at(-1)).toMatchObject({
    type: "response.incomplete",
    response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
  });
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

test("a generation ends when its client disconnects before the answer", async () => {
  const clock = createFakeClock(1_000);
  const { model, client } = await runModel({ clock, latencyMs: 10_000 });
  const leave = new AbortController();
  const answer = client.responses.create(cello, { signal: leave.signal });
  await eventually(() => (clock.sleeping() > 0 ? true : undefined));

  leave.abort();

  await expect(answer).rejects.toThrow("Request was aborted.");
  await eventually(() => (model.requests()[0]?.aborted ? true : undefined));
  expect(clock.sleeping()).toBe(0);
  expect(model.requests()[0]).toMatchObject({ status: null, model: "gpt-6-luna" });
});

test("a turn takes the model's latency, or the time given by [[slow:MS]]", async () => {
  const clock = createFakeClock(1_000);
  const { client } = await runModel({ clock, latencyMs: 400 });
  for (const [input, ms] of [
    ["Hello", 400],
    ["Hello [[slow:9000]]", 9_000],
  ] as const) {
    let ended = false;
    const answer = client.responses.create({ ...cello, input }).finally(() => (ended = true));
    await eventually(() => (clock.sleeping() > 0 ? true : undefined));
    await clock.advance(ms - 1);
    expect(ended).toBe(false);
    await clock.advance(1);
    expect((await answer).status).toBe("completed");
  }
});
