import { expect, test } from "vitest";
import { cello, eventually, runModel } from "./model-server.ts";

const hello = { model: "m", input: "Hello." };

test("a fault with a probability depends on the random number, applies as often as configured, and only on its route", async () => {
  const dice = [0.7, 0.2];
  const { model, call } = await runModel({ random: () => dice.shift() ?? 0 });
  const fault = { kind: "status", status: 503 } as const;
  model.faults.add({ route: "POST /v1/responses", probability: 0.5, times: 1, fault });

  expect((await call("GET", "/models")).status).toBe(200);
  const statuses = [];
  for (let count = 0; count < 3; count++) statuses.push((await call("POST", "/responses", hello)).status);
  expect(statuses).toEqual([200, 503, 200]);
});

test("a mid-stream silent fault keeps the connection open after six events", async () => {
  const { model, client } = await runModel();
  model.faults.add({ times: 1, fault: { kind: "silent", when: "mid-stream" } });
  const stream = await client.responses.create({ ...cello, stream: true });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of stream) seen.push(event.type);
  })();
  await eventually(() => (seen.length === 6 ? true : undefined));
  expect(model.requests()[0]?.aborted).toBe(false);

  stream.controller.abort();
  await reading;
  expect(seen).toHaveLength(6);
});

test.each([true, false])(
  "with control %s, other processes can set faults and read the journal or not",
  async (control) => {
    const { model, call } = await runModel({ control });
    const local = (method: string, path: string, body?: object) =>
      fetch(new URL(path, model.url), { method, ...(body && { body: JSON.stringify(body) }) });

    const answer = await local("POST", "/_local/faults", { fault: { kind: "status", status: 500 } });
    expect(answer.status).toBe(control ? 201 : 404);
    expect((await call("POST", "/responses", hello)).status).toBe(control ? 500 : 200);
    expect((await local("GET", "/_local/requests")).status).toBe(control ? 200 : 404);
  },
);
