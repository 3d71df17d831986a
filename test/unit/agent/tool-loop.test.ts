import { expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { addUsage, type ModelTurn, BadEnd } from "../../../lib/model/model.ts";
import type { Round } from "../../../lib/agent/tool-loop.ts";
import { runToolLoop } from "../../../lib/agent/tool-loop.ts";
import { calls, says, scriptedModel } from "../../support/scripted-model.ts";
import { list, loop, startOf, teas } from "./loop-support.ts";
import { never, thrownBy } from "../model/support.ts";

test("a message without tools ends in one round", async () => {
  const model = scriptedModel(says("Green tea."));
  const { goOn: _goOn, ...result } = await loop(model);
  expect(result).toEqual({
    draft: { files: [], charts: [], datasets: [], svgs: [], lists: [], checklists: [] },
    message: "Green tea.",
    usage: {
      inputTokens: 100,
      cachedInputTokens: 40,
      cacheWriteTokens: 0,
      outputTokens: 30,
      reasoningTokens: 10,
      webSearches: 0,
    },
    rounds: 1,
  });
  model.assertDone();
});

test("an answer that was not taken is gone on from, on the same chain and with what has been made", async () => {
  const model = scriptedModel(
    calls("r1", ["create_list", teas]),
    says("{{artifact:list:teas}}", "r2"),
    calls("r3", ["create_list", list("more")]),
    says("{{artifact:list:teas}} {{artifact:list:more}}", "r4"),
  );
  const first = await loop(model);
  const { draft, rounds, message } = await first.goOn("Studio wants another list.");
  expect(model.requests[2]).toMatchObject({
    previousResponseId: "r2",
    input: [{ type: "message", text: "Studio wants another list." }],
  });
  expect(draft.lists.map(({ id }) => id)).toEqual(["teas", "more"]);
  expect({ rounds, message }).toEqual({
    rounds: 4,
    message: "{{artifact:list:teas}} {{artifact:list:more}}",
  });
  model.assertDone();
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
  expect(first).not.toHaveProperty("previousResponseId");
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

test("a refused call is answered with its fault beside the accepted ones", async () => {
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

/** As a server writes them that counts its calls badly. */
const underOneId = (...args: readonly object[]): ModelTurn => ({
  ...calls("r1"),
  calls: args.map((one) => ({ callId: "call_0", name: "create_list", arguments: JSON.stringify(one) })),
});

test("two calls with one id are both carried out, and answered in one output", async () => {
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

test("a call that comes twice, id and all, is carried out and answered once", async () => {
  const model = scriptedModel(underOneId(teas, teas), says("{{artifact:list:teas}}", "r2"));
  const { draft } = await loop(model);
  expect(draft.lists).toHaveLength(1);
  const outputs = model.requests[1]!.input;
  expect(outputs).toHaveLength(1);
  expect(JSON.parse(outputs[0]?.type === "tool_output" ? outputs[0].output : "")).toMatchObject({ ok: true });
});

test("stored rounds are chained and send only what is new", async () => {
  const model = scriptedModel(calls("r1", ["create_list", teas]), says("{{artifact:list:teas}}", "r2"));
  await loop(model);
  expect(model.requests[1]).toMatchObject({ previousResponseId: "r1", store: true });
  expect(model.requests[1]!.input).toHaveLength(1);
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

test("when the provider lost the chain, everything is sent again and chaining ends for good", async () => {
  const [first, second] = [calls("r1", ["create_list", teas]), calls("r2", ["create_list", list("more")])];
  const model = scriptedModel(first, missing, second, says("{{artifact:list:teas}}", "r3"));
  const { usage, rounds } = await loop(model);
  model.assertDone();
  expect(model.requests.map((request) => request.previousResponseId)).toEqual([
    undefined,
    "r1",
    undefined,
    undefined,
  ]);
  expect(model.requests.map(({ store }) => store)).toEqual([true, true, false, false]);
  expect(model.requests[3]!.input).toMatchObject([
    { type: "message", text: "Compare teas." },
    { type: "earlier_turn", items: first.outputItems },
    { type: "tool_output", callId: "r1-1" },
    { type: "earlier_turn", items: second.outputItems },
    { type: "tool_output", callId: "r2-1" },
  ]);
  expect(rounds).toBe(3);
  expect(usage.inputTokens).toBe(300);
});

test("a missing response that was not referred to goes out", async () => {
  expect(await thrownBy(loop(scriptedModel(missing)))).toBe(missing);
});

test("each round is noted with its own usage before the next begins", async () => {
  const rounds: Round[] = [];
  const model = scriptedModel(calls("r1", ["create_list", teas]), () => {
    expect(rounds).toHaveLength(1);
    return says("{{artifact:list:teas}}", "r2");
  });
  await loop(model, {}, async (round) => void rounds.push(round));
  const usage = {
    inputTokens: 100,
    cachedInputTokens: 40,
    cacheWriteTokens: 0,
    outputTokens: 30,
    reasoningTokens: 10,
    webSearches: 0,
  };
  expect(rounds).toEqual([
    { number: 1, responseId: "r1", usage, calls: 1 },
    { number: 2, responseId: "r2", usage, calls: 0 },
  ]);
});

test("each response is noted with its round and what the run has used, before it is waited for", async () => {
  const started: unknown[] = [];
  const model = scriptedModel(
    calls("r1", ["create_list", teas]),
    says("{{artifact:list:no}}", "r2"),
    says("{{artifact:list:teas}}", "r3"),
  );
  const order: string[] = [];
  await runToolLoop(
    {
      model,
      onStarted: (told) => {
        started.push(told);
        order.push(`started ${told.responseId}`);
      },
      onRound: ({ responseId }) => void order.push(`ended ${responseId}`),
    },
    { model: "gpt-6-luna", input: "Compare teas.", store: true },
    never,
  );
  const used = (rounds: number) => ({
    inputTokens: 100 * rounds,
    cachedInputTokens: 40 * rounds,
    cacheWriteTokens: 0,
    outputTokens: 30 * rounds,
    reasoningTokens: 10 * rounds,
    webSearches: 0,
  });
  expect(started).toEqual([
    { number: 1, responseId: "r1", usage: { ...used(0), costUsd: 0 } },
    { number: 2, responseId: "r2", usage: used(1) },
    { number: 3, responseId: "r3", usage: used(2) },
  ]);
  expect(order).toEqual(["started r1", "ended r1", "started r2", "ended r2", "started r3", "ended r3"]);
});

test("what the note of a started response throws goes out", async () => {
  const superseded = new RunnerError("superseded", "a newer attempt owns the run");
  const deps = { model: scriptedModel(says("Green.")), onStarted: () => Promise.reject(superseded) };
  const job = { model: "gpt-6-luna", input: "Compare teas.", store: true };
  expect(await thrownBy(runToolLoop(deps, job, never))).toBe(superseded);
});

test("an earlier attempt's rounds and usage go on being counted", async () => {
  const from = startOf({
    rounds: 7,
    usage: {
      inputTokens: 1,
      cachedInputTokens: 1,
      cacheWriteTokens: 0,
      outputTokens: 1,
      reasoningTokens: 1,
      webSearches: 0,
    },
    next: {
      kind: "ask",
      previousResponseId: "r7",
      input: [{ type: "tool_output", callId: "r7-1", output: "{}" }],
    },
  });
  const model = scriptedModel(says("Green.", "r8"));
  const rounds: Round[] = [];
  expect(await loop(model, { from, input: "" }, (round) => void rounds.push(round))).toMatchObject({
    rounds: 8,
    usage: {
      inputTokens: 101,
      cachedInputTokens: 41,
      cacheWriteTokens: 0,
      outputTokens: 31,
      reasoningTokens: 11,
      webSearches: 0,
    },
  });
  expect(rounds.map(({ number }) => number)).toEqual([8]);
  expect(model.requests[0]).toMatchObject({
    previousResponseId: "r7",
    input: [{ type: "tool_output", callId: "r7-1", output: "{}" }],
  });
});

test("an earlier attempt's chain that is gone goes out: its turns are not in memory", async () => {
  const from = startOf({ next: { kind: "ask", previousResponseId: "r7", input: [] } });
  expect(await thrownBy(loop(scriptedModel(missing), { from }))).toBe(missing);
});

test("what the note throws ends the loop", async () => {
  const superseded = new RunnerError("superseded", "a newer attempt owns the run");
  const model = scriptedModel(calls("r1", ["create_list", teas]));
  expect(await thrownBy(loop(model, {}, () => Promise.reject(superseded)))).toBe(superseded);
});

test("an abort between rounds rejects with the signal's reason", async () => {
  const controller = new AbortController();
  const reason = new Error("the lease is lost");
  const model = scriptedModel(() => {
    controller.abort(reason);
    return calls("r1", ["create_list", teas]);
  });
  const job = { model: "gpt-6-luna", input: "Compare teas.", store: true };
  expect(await thrownBy(runToolLoop({ model }, job, controller.signal))).toBe(reason);
  model.assertDone();
});

test("any other error of the model goes out as it is", async () => {
  const refused = new RunnerError("model_refused", "the model declined: no");
  expect(await thrownBy(loop(scriptedModel(refused)))).toBe(refused);
});

test("usage adds up field by field", () => {
  const left = {
    inputTokens: 1,
    cachedInputTokens: 2,
    cacheWriteTokens: 0,
    outputTokens: 3,
    reasoningTokens: 4,
    webSearches: 0,
  };
  const right = {
    inputTokens: 10,
    cachedInputTokens: 20,
    cacheWriteTokens: 0,
    outputTokens: 30,
    reasoningTokens: 40,
    webSearches: 0,
  };
  expect(addUsage(left, right)).toEqual({
    inputTokens: 11,
    cachedInputTokens: 22,
    cacheWriteTokens: 0,
    outputTokens: 33,
    reasoningTokens: 44,
    webSearches: 0,
  });
});

test("an answer that is of no use is counted all the same, and then thrown", async () => {
  const rounds: Round[] = [];
  const usage = {
    inputTokens: 100,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 900,
    reasoningTokens: 0,
    webSearches: 0,
  };
  const cause = new RunnerError("model_incomplete", "stopped at its output limit");
  const model = {
    ...scriptedModel(),
    generate: async () => {
      throw new BadEnd(cause, { responseId: "r1", usage });
    },
  };
  const asked = runToolLoop(
    { model, onRound: (round) => void rounds.push(round) },
    { model: "m", input: "Compare teas.", store: true },
    never,
  );
  expect(await thrownBy(asked)).toMatchObject({ code: "model_incomplete" });
  expect(rounds).toEqual([{ number: 1, responseId: "r1", usage, calls: 0 }]);
});
