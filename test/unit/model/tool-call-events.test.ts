import { expect, it } from "vitest";
import type { Provider } from "../../../lib/model/exchange.ts";
import type { ApiEvent } from "../../../lib/model/responses-api.ts";
import { readToEnd } from "../../../lib/model/streaming.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { partOf } from "../../support/part-of.ts";

it("a stream tells of each tool as soon as the model begins to call it", async () => {
  const added = "response.output_item.added";
  async function* events(): AsyncGenerator<ApiEvent> {
    yield { type: added, item: { type: "reasoning" } };
    yield { type: added, item: { type: "function_call", name: "create_table" } };
    yield { type: added, item: { type: "function_call", name: 5 } };
    yield { type: added, item: null };
    yield { type: "response.output_item.done", item: { type: "function_call", name: "create_table" } };
    yield { type: "response.completed", response: { id: "r1" } };
  }
  const tools: string[] = [];
  const provider = partOf<Provider>({ clock: createFakeClock() });
  await readToEnd(provider, events(), { items: [], onToolCall: (tool) => void tools.push(tool) });
  expect(tools).toEqual(["create_table"]);
});
