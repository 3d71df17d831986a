import { expect, test } from "vitest";
import { createFakeClock } from "../../support/fake-clock.ts";
import { cello, eventually, runModel } from "./model-server.ts";

async function runSlowModel() {
  const clock = createFakeClock(1_000);
  return { clock, ...(await runModel({ clock, latencyMs: 10_000 })) };
}

test("a background response goes from in_progress to completed", async () => {
  const { clock, client } = await runSlowModel();
  const created = await client.responses.create({ ...cello, background: true });
  expect(created).toMatchObject({ status: "in_progress", background: true, output: [] });

  await clock.advance(6_000);
  const half = await client.responses.retrieve(created.id);
  expect(half.status).toBe("in_progress");
  expect(half.output.length).toBeGreaterThan(0);
  await clock.advance(4_000);

  const whole = await client.responses.retrieve(created.id);
  expect(whole.status).toBe("completed");
  expect(whole.output.map((item) => item.type).join(" ")).toBe(
    "reasoning function_call function_call function_call",
  );
});

test("a background response cannot be continued before it is complete", async () => {
  const { client, call } = await runSlowModel();
  const created = await client.responses.create({ ...cello, background: true });

  const next = await call("POST", "/responses", { ...cello, previous_response_id: created.id });
  expect(next.status).toBe(400);
  expect(next.body.error.param).toBe("previous_response_id");
});

test("cancel ends a background response, and a second cancel changes nothing", async () => {
  const { clock, client } = await runSlowModel();
  const { id } = await client.responses.create({ ...cello, background: true });

  expect((await client.responses.cancel(id)).status).toBe("cancelled");
  expect((await client.responses.cancel(id)).status).toBe("cancelled");
  expect(clock.sleeping()).toBe(0);
  expect((await client.responses.retrieve(id)).status).toBe("cancelled");
});

test("only background responses can be cancelled, and only streamed ones can be streamed again", async () => {
  const { client, call } = await runModel();
  const plain = await client.responses.create(cello);
  const cancelled = await call("POST", `/responses/${plain.id}/cancel`);
  expect(cancelled.status).toBe(400);
  expect(cancelled.body.error.message).toBe("Cannot cancel a synchronous response.");

  const { id } = await client.responses.create({ ...cello, background: true });
  const streamed = await call("GET", `/responses/${id}?stream=true`);
  expect(streamed.status).toBe(400);
  expect(streamed.body.error.param).toBe("stream");
});

test("a background stream continues without its client, and resumes after the given event", async () => {
  const { clock, client, model } = await runSlowModel();
  const stream = await client.responses.create({ ...cello, background: true, stream: true });
  const seen: string[] = [];
  let id = "";
  for await (const event of stream) {
    seen.push(event.type);
    if (event.type === "response.created") id = event.response.id;
    if (event.type === "response.in_progress") break;
  }
  expect(seen).toEqual(["response.created", "response.queued", "response.in_progress"]);
  await eventually(() => (model.requests()[0]?.aborted ? true : undefined));
  expect(clock.sleeping()).toBe(1);

  await clock.advance(10_000);
  const rest = await client.responses.retrieve(id, { stream: true, starting_after: 2 });
  const numbers: number[] = [];
  let last = "";
  for await (const event of rest) {
    numbers.push(event.sequence_number);
    last = event.type;
  }
  expect(numbers[0]).toBe(3);
  expect(numbers.at(-1)).toBe(numbers.length + 2);
  expect(last).toBe("response.completed");
});

test("an unstored background response can be retrieved for ten minutes, and cannot be continued", async () => {
  const { clock, client, call } = await runSlowModel();
  const { id } = await client.responses.create({ ...cello, background: true, store: false });
  await clock.advance(599_999);
  expect((await client.responses.retrieve(id)).status).toBe("completed");
  const next = await call("POST", "/responses", { ...cello, previous_response_id: id });
  expect(next.body.error.code).toBe("previous_response_not_found");

  await clock.advance(1);
  expect((await call("GET", `/responses/${id}`)).status).toBe(404);
});
