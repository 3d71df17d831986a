import { expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { type ModelTurn, UnusableResponseError } from "../../../lib/model/model.ts";
import type { RoundEnd, RoundStart } from "../../../lib/agent/tool-loop.ts";
import { runToolLoop } from "../../../lib/agent/tool-loop.ts";
import { calls, says, scriptedModel } from "../../support/scripted-model.ts";
import { job, list, loop, startOf, teas, usageOf } from "./loop-support.ts";
import { thrownBy } from "../model/support.ts";

test("a message without tool calls ends the loop in one round", async () => {
  const model = scriptedModel(says("Green tea."));
  const { continueWith: _continueWith, ...result } = await loop(model);
  const draft = { files: [], charts: [], datasets: [], svgs: [], lists: [], checklists: [] };
  expect(result).toEqual({ draft, message: "Green tea.", rounds: 1 });
  model.assertDone();
});

test("an answer that was refused is continued on the same chain, with the deliverables so far", async () => {
  const model = scriptedModel(
    calls("r1", ["create_list", teas]),
    says("{{artifact:list:teas}}", "r2"),
    calls("r3", ["create_list", list("more")]),
    says("{{artifact:list:teas}} {{artifact:list:more}}", "r4"),
  );
  const first = await loop(model);
  const { draft, rounds, message } = await first.continueWith("Studio wants another list.");
  expect(model.requests[2]).toMatchObject({
    previousResponseId: "r2",
    input: [{ type: "message", text: "Studio wants another list." }],
  });
  expect(draft.lists.map(({ id }) => id)).toEqual(["teas", "more"]);
  expect(rounds).toBe(4);
  expect(message).toBe("{{artifact:list:teas}} {{artifact:list:more}}");
});

test("the first round carries the user's text, the instructions and all eleven tools", async () => {
  const model = scriptedModel(says("Green tea."));
  await loop(model);
  const [first] = model.requests;
  expect(first).toMatchObject({
    model: "gpt-6-luna",
    input: [{ type: "message", text: "Compare teas." }],
    store: true,
  });
  expect(first!.tools).toHaveLength(11);
  expect(first!.instructions).toContain("create_checklist");
  expect(first!.previousResponseId).toBeUndefined();
});

test("parallel calls are applied and answered in the order of the calls", async () => {
  const model = scriptedModel(
    calls("r1", ["create_list", list("second")], ["create_list", list("first")]),
    says("See {{artifact:list:first}} and {{artifact:list:second}}.", "r2"),
  );
  const { draft } = await loop(model);
  expect(draft.lists.map(({ id }) => id)).toEqual(["second", "first"]);
  expect(model.requests[1]!.input).toMatchObject([
    { type: "tool_output", callId: "r1-1" },
    { type: "tool_output", callId: "r1-2" },
  ]);
});

test("a refused call is answered with its error, and the other calls are accepted", async () => {
  const model = scriptedModel(
    calls("r1", ["create_list", "{broken"], ["no_such_tool", {}], ["create_list", teas]),
    says("See {{artifact:list:teas}}.", "r2"),
  );
  const { draft } = await loop(model);
  expect(draft.lists.map(({ id }) => id)).toEqual(["teas"]);
  const outputs = model.requests[1]!.input.map((item) => (item.type === "tool_output" ? item.output : ""));
  expect(outputs.map((output) => JSON.parse(output).ok)).toEqual([false, false, true]);
  expect(outputs[1]).toContain("there is no tool");
});

/** Calls from a server that gives all of them the same id. */
const underOneId = (...args: readonly object[]): ModelTurn => ({
  ...calls("r1"),
  calls: args.map((one) => ({ callId: "call_0", name: "create_list", arguments: JSON.stringify(one) })),
});

test("two calls with the same id are both executed, and answered in one output", async () => {
  const model = scriptedModel(
    underOneId(list("green"), list("black")),
    says("{{artifact:list:green}} {{artifact:list:black}}", "r2"),
  );
  const { draft } = await loop(model);
  expect(draft.lists.map(({ id }) => id)).toEqual(["green", "black"]);
  const [output, ...more] = model.requests[1]!.input;
  expect(more).toEqual([]);
  expect(output).toMatchObject({ type: "tool_output", callId: "call_0" });
  const answers = output?.type === "tool_output" ? output.output.split("\n") : [];
  expect(answers.map((answer) => JSON.parse(answer) as unknown)).toMatchObject([
    { ok: true, id: "green" },
    { ok: true, id: "black" },
  ]);
});

test("a call that is repeated with the same id is executed and answered once", async () => {
  const model = scriptedModel(underOneId(teas, teas), says("{{artifact:list:teas}}", "r2"));
  const { draft } = await loop(model);
  expect(draft.lists).toHaveLength(1);
  const outputs = model.requests[1]!.input;
  expect(outputs).toHaveLength(1);
  expect(JSON.parse(outputs[0]?.type === "tool_output" ? outputs[0].output : "")).toMatchObject({ ok: true });
});

test("without storing, each round sends the whole conversation", async () => {
  const first = calls("r1", ["create_list", teas]);
  const model = scriptedModel(first, says("{{artifact:list:teas}}", "r2"));
  await loop(model, { store: false });
  const second = model.requests[1]!;
  expect(second).toMatchObject({ store: false });
  expect(second).not.toHaveProperty("previousResponseId");
  expect(second.input).toMatchObject([
    { type: "message", text: "Compare teas." },
    { type: "earlier_turn", items: first.outputItems },
    { type: "tool_output", callId: "r1-1" },
  ]);
});

const missing = new RunnerError("model_previous_response_missing", "gone");

test("everything is sent again, and chaining ends, when the provider has lost the chain", async () => {
  const [first, second] = [calls("r1", ["create_list", teas]), calls("r2", ["create_list", list("more")])];
  const model = scriptedModel(first, missing, second, says("{{artifact:list:teas}}", "r3"));
  const ends: RoundEnd[] = [];
  const { rounds } = await loop(model, {}, { onRound: (end) => void ends.push(end) });
  expect(model.requests.map(({ store, previousResponseId }) => [store, previousResponseId])).toEqual([
    [true, undefined],
    [true, "r1"],
    [false, undefined],
    [false, undefined],
  ]);
  expect(model.requests[3]!.input).toMatchObject([
    { type: "message", text: "Compare teas." },
    { type: "earlier_turn", items: first.outputItems },
    { type: "tool_output", callId: "r1-1" },
    { type: "earlier_turn", items: second.outputItems },
    { type: "tool_output", callId: "r2-1" },
  ]);
  expect(rounds).toBe(3);
  expect(ends.at(-1)!.usage.inputTokens).toBe(300);
});

const fromEarlier = startOf({ next: { kind: "ask", previousResponseId: "r7", input: [] } });

test.each([
  ["a missing response that no request referred to", missing, {}],
  ["the loss of an earlier attempt's chain, whose turns are not in memory,", missing, { from: fromEarlier }],
  ["any other model error", new RunnerError("model_refused", "the model declined: no"), {}],
])("%s is thrown unchanged", async (_, error, changed) => {
  expect(await thrownBy(loop(scriptedModel(error), changed))).toBe(error);
});

test("each round is reported with the usage so far before the next one starts", async () => {
  const rounds: RoundEnd[] = [];
  const model = scriptedModel(calls("r1", ["create_list", teas]), () => {
    expect(rounds).toHaveLength(1);
    return says("{{artifact:list:teas}}", "r2");
  });
  await loop(model, {}, { onRound: (round) => void rounds.push(round) });
  expect(rounds).toEqual([
    { number: 1, responseId: "r1", usage: usageOf(1), calls: 1, tools: ["create_list"] },
    { number: 2, responseId: "r2", usage: usageOf(2), calls: 0, tools: [] },
  ]);
});

test("each response is reported with its round and the usage so far before it is awaited", async () => {
  const started: unknown[] = [];
  const order: string[] = [];
  const model = scriptedModel(
    calls("r1", ["create_list", teas]),
    says("{{artifact:list:no}}", "r2"),
    says("{{artifact:list:teas}}", "r3"),
  );
  const onStarted = (response: RoundStart) => {
    started.push(response);
    order.push(`started ${response.responseId}`);
  };
  const onRound = ({ responseId }: RoundEnd) => void order.push(`ended ${responseId}`);
  await loop(model, {}, { onStarted, onRound });
  expect(started).toEqual([
    { number: 1, responseId: "r1", usage: { ...usageOf(0), costUsd: 0 } },
    { number: 2, responseId: "r2", usage: usageOf(1) },
    { number: 3, responseId: "r3", usage: usageOf(2) },
  ]);
  expect(order).toEqual(["started r1", "ended r1", "started r2", "ended r2", "started r3", "ended r3"]);
});

test.each(["onStarted", "onRound"])("an error thrown by %s ends the loop", async (note) => {
  const superseded = new RunnerError("superseded", "a newer attempt owns the run");
  const model = scriptedModel(calls("r1", ["create_list", teas]));
  expect(await thrownBy(loop(model, {}, { [note]: () => Promise.reject(superseded) }))).toBe(superseded);
});

test("an abort between rounds rejects with the signal's reason", async () => {
  const controller = new AbortController();
  const reason = new Error("the lease is lost");
  const model = scriptedModel(() => {
    controller.abort(reason);
    return calls("r1", ["create_list", teas]);
  });
  expect(await thrownBy(runToolLoop({ model }, job, controller.signal))).toBe(reason);
  model.assertDone();
});

test("an unusable answer is told as such, with its usage, before its error is thrown", async () => {
  const rounds: RoundEnd[] = [];
  const usage = { ...usageOf(1), outputTokens: 900 };
  const cause = new RunnerError("model_incomplete", "stopped at its output limit");
  const model = {
    ...scriptedModel(),
    generate: async () => {
      throw new UnusableResponseError(cause, { responseId: "r1", usage });
    },
  };
  const asked = loop(model, {}, { onRound: (round) => void rounds.push(round) });
  expect(await thrownBy(asked)).toMatchObject({ code: "model_incomplete" });
  expect(rounds).toEqual([
    {
      number: 1,
      responseId: "r1",
      usage: { ...usage, costUsd: undefined },
      calls: 0,
      tools: [],
      isUnusable: true,
    },
  ]);
});
