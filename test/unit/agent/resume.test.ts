import { expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { ErrorCode } from "../../../lib/core/errors.ts";
import type { Model, StoredTurn } from "../../../lib/model/model.ts";
import { resume } from "../../../lib/agent/resume.ts";
import type { Round, Started } from "../../../lib/agent/tool-loop.ts";
import { runToolLoop } from "../../../lib/agent/tool-loop.ts";
import type { ScriptedModel, Step } from "../../support/scripted-model.ts";
import { calls, says, scriptedModel } from "../../support/scripted-model.ts";
import { list, loop, teas } from "./loop-support.ts";
import { never, thrownBy } from "../model/support.ts";

const killed = new Error("killed");
const usage = (rounds: number) => ({
  inputTokens: 100 * rounds,
  cachedInputTokens: 40 * rounds,
  cacheWriteTokens: 0,
  outputTokens: 30 * rounds,
  reasoningTokens: 10 * rounds,
  webSearches: 0,
});

/** An attempt that is killed when the response of round `at` has been noted. */
async function attemptKilledAt(at: number, model: Model): Promise<void> {
  const onStarted = ({ number }: Started) => {
    if (number === at) throw killed;
  };
  const job = { model: "gpt-6-luna", input: "Compare teas.", store: true };
  expect(await thrownBy(runToolLoop({ model, onStarted }, job, never))).toBe(killed);
}

/** What the next attempt sees of the model: the same responses, and its own requests. */
const requestsSince = (model: ScriptedModel, count: number) => model.requests.slice(count);

/** The ids of a run's first responses. */
const upTo = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `r${at + 1}`);

const failed = (responseId: string, status: "failed" | "incomplete" | "cancelled"): Step => ({
  responseId,
  status,
  error: new RunnerError("model_failed", "came to nothing"),
});

test("the run's responses are read, and the last one is followed", async () => {
  const model = scriptedModel(
    calls("r1", ["create_list", list("a")]),
    calls("r2", ["create_list", list("b")], ["create_list", "{broken"]),
    says("{{artifact:list:a}}", "r3"),
  );
  await attemptKilledAt(3, model);
  const from = await resume({ model }, upTo(3), never);
  expect(model.looks).toEqual(["retrieve r1", "retrieve r2", "retrieve r3"]);
  expect(from.draft.lists.map(({ id }) => id)).toEqual(["a", "b"]);
  expect(from).toMatchObject({
    rounds: 2,
    toolRounds: 2,
    repairs: 0,
    usage: usage(2),
    next: {
      kind: "follow",
      responseId: "r3",
      previousResponseId: "r2",
      input: [
        { type: "tool_output", callId: "r2-1" },
        { type: "tool_output", callId: "r2-2" },
      ],
    },
  });
});

test("the followed response goes on exactly as if it had been asked for", async () => {
  const model = scriptedModel(
    calls("r1", ["create_list", teas]),
    calls("r2", ["create_list", list("more")]),
    says("{{artifact:list:more}}", "r3"),
  );
  await attemptKilledAt(2, model);
  const rounds: Round[] = [];
  const from = await resume({ model }, upTo(2), never);
  const result = await loop(model, { from, input: "" }, (round) => void rounds.push(round));
  model.assertDone();
  expect(result).toMatchObject({ message: "{{artifact:list:more}}", rounds: 3, usage: usage(3) });
  expect(result.draft.lists.map(({ id }) => id)).toEqual(["teas", "more"]);
  expect(rounds.map(({ number, responseId }) => `${number} ${responseId}`)).toEqual(["2 r2", "3 r3"]);
  expect(model.requests[2]).toMatchObject({
    previousResponseId: "r2",
    store: true,
    input: [{ type: "tool_output", callId: "r2-1" }],
  });
});

test("a run that was killed in its first round is followed from its first response", async () => {
  const model = scriptedModel(says("Green.", "r1"));
  await attemptKilledAt(1, model);
  const from = await resume({ model }, upTo(1), never);
  expect(from).toMatchObject({
    rounds: 0,
    next: { kind: "follow", responseId: "r1", previousResponseId: undefined, input: [] },
  });
  expect((await loop(model, { from, input: "" })).message).toBe("Green.");
  model.assertDone();
});

test.for(["queued", "in_progress", "completed", "incomplete"] as const)(
  "a last response that is %s is followed",
  async (status) => {
    const responses: Readonly<Record<string, Partial<StoredTurn>>> = {
      r1: { turn: calls("r1", ["create_list", teas]) },
      r2: { previousResponseId: "r1", status },
    };
    const from = await resume({ model: keeping(responses) }, upTo(2), never);
    expect(from.next).toMatchObject({ kind: "follow", responseId: "r2" });
  },
);

/** A provider with these responses; completed unless told otherwise. */
function keeping(responses: Readonly<Record<string, Partial<StoredTurn>>>): Pick<Model, "retrieve"> {
  return {
    retrieve: async (responseId) => {
      const found = responses[responseId];
      if (found === undefined) throw new RunnerError("model_previous_response_missing", "gone");
      return {
        previousResponseId: undefined,
        status: "completed",
        turn: undefined,
        usage: found.turn?.usage ?? usage(0),
        ...found,
      };
    },
  };
}

test.for(["failed", "cancelled"] as const)(
  "a last response that is %s: only that round is asked again, from the one before it",
  async (status) => {
    const model = scriptedModel(
      calls("r1", ["create_list", teas]),
      failed("r2", status),
      says("{{artifact:list:teas}}", "r3"),
    );
    await attemptKilledAt(2, model);
    const from = await resume({ model }, upTo(2), never);
    expect(from).toMatchObject({ rounds: 1, next: { kind: "ask", previousResponseId: "r1" } });
    expect((await loop(model, { from, input: "" })).message).toBe("{{artifact:list:teas}}");
    model.assertDone();
    const [again] = requestsSince(model, 2);
    expect(again!.previousResponseId).toBe("r1");
    expect(again!.input).toEqual(model.requests[1]!.input);
    expect(model.looks).toEqual(["retrieve r1", "retrieve r2"]);
  },
);

test("what a response cost that came to nothing is counted", async () => {
  const model = keeping({
    r1: { turn: calls("r1", ["create_list", teas]) },
    r2: { previousResponseId: "r1", status: "failed", usage: usage(3) },
  });
  expect((await resume({ model }, upTo(2), never)).usage).toEqual(usage(4));
});

test("a repair that failed is asked again with the same prompt", async () => {
  const model = scriptedModel(
    says("See {{artifact:list:teas}}.", "r1"),
    failed("r2", "failed"),
    says("Green.", "r3"),
  );
  await attemptKilledAt(2, model);
  const from = await resume({ model }, upTo(2), never);
  expect(from).toMatchObject({ rounds: 1, toolRounds: 0, repairs: 1 });
  await loop(model, { from, input: "" });
  expect(requestsSince(model, 2)[0]!.input).toEqual(model.requests[1]!.input);
});

test("a message that others sent back counts as repaired; if that round failed, the message stands again", async () => {
  const responses: Readonly<Record<string, Partial<StoredTurn>>> = {
    r1: { turn: says("Green.", "r1") },
    r2: { previousResponseId: "r1", turn: says("Black.", "r2") },
    r3: { previousResponseId: "r2", status: "failed", usage: usage(1) },
  };
  const model = keeping(responses);
  expect(await resume({ model }, upTo(1), never)).toMatchObject({ repairs: 0, sentBack: false });
  expect(await resume({ model }, upTo(2), never)).toMatchObject({
    repairs: 1,
    sentBack: true,
    rounds: 1,
    next: { kind: "follow", responseId: "r2" },
  });
  expect(await resume({ model }, upTo(3), never)).toMatchObject({
    repairs: 1,
    sentBack: true,
    rounds: 1,
    usage: usage(2),
    next: { kind: "follow", responseId: "r2" },
  });
});

test.for(["failed", "cancelled"] as const)(
  "a first response that is %s can be asked for again from the start",
  async (status) => {
    const model = keeping({ r1: { status } });
    expect(await thrownBy(resume({ model }, upTo(1), never))).toMatchObject({
      code: "model_previous_response_missing",
      retryable: true,
      message: `the run's earlier responses cannot be taken up: its first response is ${status}`,
    });
  },
);

test("a first response that stopped early fails with its own reason and is not asked for again", async () => {
  const model = keeping({ r1: { status: "incomplete" } });
  const from = await resume({ model }, upTo(1), never);
  expect(from).toMatchObject({ next: { kind: "follow", responseId: "r1" } });
  const filtered = new RunnerError("model_content_filtered", "the provider's content filter stopped it");
  const scripted = { ...scriptedModel(), follow: () => Promise.reject(filtered) };
  expect(await thrownBy(loop(scripted, { from, input: "" }))).toBe(filtered);
});

test("a followed response that fails in passing is asked for again from the one before it", async () => {
  const passing = new RunnerError("model_failed", "server_error", { retryable: true });
  const model = scriptedModel(
    calls("r1", ["create_list", teas]),
    calls("r2", ["create_list", list("late")]),
    says("{{artifact:list:teas}}", "r3"),
  );
  await attemptKilledAt(2, model);
  const from = await resume({ model }, upTo(2), never);
  const follow = () => Promise.reject(passing);
  const result = await loop({ ...model, follow }, { from, input: "" });
  expect(result).toMatchObject({ message: "{{artifact:list:teas}}", rounds: 2 });
  expect(model.requests[2]!.input).toEqual(model.requests[1]!.input);
  expect(model.requests[2]!.previousResponseId).toBe("r1");
});

test("a followed first response that fails in passing makes the run start over", async () => {
  const passing = new RunnerError("model_failed", "server_error", { retryable: true });
  const model = scriptedModel(says("Green.", "r1"));
  await attemptKilledAt(1, model);
  const from = await resume({ model }, upTo(1), never);
  const error = await thrownBy(
    loop({ ...model, follow: () => Promise.reject(passing) }, { from, input: "" }),
  );
  expect(error).toMatchObject({
    code: "model_previous_response_missing",
    retryable: true,
    message: "the run's first response came to nothing (server_error)",
  });
});

test("a followed response that fails for good goes out and is not asked for again", async () => {
  const model = scriptedModel(calls("r1", ["create_list", teas]), says("Green.", "r2"));
  await attemptKilledAt(2, model);
  const from = await resume({ model }, upTo(2), never);
  const cancelled = new RunnerError("model_failed", "cancelled");
  const follow = () => Promise.reject(cancelled);
  expect(await thrownBy(loop({ ...model, follow }, { from, input: "" }))).toBe(cancelled);
  model.assertDone();
});

test("a chain that goes away while it is followed makes the run start over", async () => {
  const model = scriptedModel(calls("r1", ["create_list", teas]), says("Green.", "r2"));
  await attemptKilledAt(2, model);
  const from = await resume({ model }, upTo(2), never);
  const missing = new RunnerError("model_previous_response_missing", "gone");
  const follow = () => Promise.reject(missing);
  expect(await thrownBy(loop({ ...model, follow }, { from, input: "" }))).toBe(missing);
});

test("a last response that is gone is asked for again", async () => {
  const model = keeping({ r1: { turn: calls("r1", ["create_list", teas]) } });
  expect(await resume({ model }, ["r1", "r2"], never)).toMatchObject({
    rounds: 1,
    usage: usage(1),
    next: {
      kind: "ask",
      previousResponseId: "r1",
      input: [{ type: "tool_output", callId: "r1-1" }],
    },
  });
});

test.for<readonly [string, Readonly<Record<string, Partial<StoredTurn>>>]>([
  ["all responses are gone", {}],
  ["an earlier response is gone", { r9: { previousResponseId: "r8" } }],
  ["an earlier response failed", { r8: { status: "failed" }, r9: { previousResponseId: "r8" } }],
  ["an earlier response runs", { r8: { status: "in_progress" }, r9: { previousResponseId: "r8" } }],
  ["an earlier response is empty", { r8: {}, r9: { previousResponseId: "r8" } }],
  [
    "a response follows on another than the run has recorded",
    {
      r8: { turn: calls("r8", ["create_list", teas]) },
      r9: { previousResponseId: "r7", status: "in_progress" },
    },
  ],
])("a chain is missing when %s", async ([, responses]) => {
  expect(await thrownBy(resume({ model: keeping(responses) }, ["r8", "r9"], never))).toMatchObject({
    code: "model_previous_response_missing",
    retryable: false,
  });
});

test.for<ErrorCode>(["model_rejected", "model_contract"])(
  "a chain is missing when a look meets %s",
  async (code) => {
    const retrieve = () => Promise.reject(new RunnerError(code, "no"));
    expect(await thrownBy(resume({ model: { retrieve } }, upTo(1), never))).toMatchObject({
      code: "model_previous_response_missing",
    });
  },
);

test.for<ErrorCode>(["model_key_refused", "model_unavailable", "secret_missing"])(
  "%s while reading goes out: it says nothing about the chain",
  async (code) => {
    const failure = new RunnerError(code, "no");
    const retrieve = () => Promise.reject(failure);
    expect(await thrownBy(resume({ model: { retrieve } }, upTo(1), never))).toBe(failure);
  },
);

test("an abort while reading goes out as the signal's reason", async () => {
  const reason = new Error("the lease is lost");
  const model = scriptedModel();
  expect(await thrownBy(resume({ model }, upTo(1), AbortSignal.abort(reason)))).toBe(reason);
});

test("a run is taken up from a provider that does not say which response follows on which", async () => {
  const model = keeping({
    r1: { turn: calls("r1", ["create_list", teas]) },
    r2: { turn: calls("r2", ["create_list", list("more")]) },
    r3: { status: "in_progress" },
  });
  const from = await resume({ model }, ["r1", "r2", "r3"], never);
  expect(from.draft.lists.map(({ id }) => id)).toEqual(["teas", "more"]);
  expect(from.next).toMatchObject({ kind: "follow", responseId: "r3", previousResponseId: "r2" });
});

test("a run has 30 responses at most", async () => {
  const chain = (length: number) =>
    Object.fromEntries(upTo(length).map((id) => [id, { turn: says("Sent back.", id) }]));
  expect(await resume({ model: keeping(chain(30)) }, upTo(30), never)).toMatchObject({ rounds: 29 });
  expect(await thrownBy(resume({ model: keeping(chain(31)) }, upTo(31), never))).toMatchObject({
    code: "model_previous_response_missing",
    message: "the run's earlier responses cannot be taken up: they are more than 30",
  });
});

test("tool rounds of earlier attempts count", async () => {
  const rounds = Array.from({ length: 25 }, (_, index) => calls(`r${index + 1}`, ["create_list", teas]));
  const model = scriptedModel(...rounds);
  await attemptKilledAt(24, model);
  const from = await resume({ model }, upTo(24), never);
  expect(await thrownBy(loop(model, { from, input: "" }))).toMatchObject({ code: "tool_rounds_exceeded" });
  model.assertDone();
});

test("repairs of earlier attempts count", async () => {
  const stubborn = (id: string) => says("{{artifact:chart:sales}}", id);
  const model = scriptedModel(...["r1", "r2", "r3", "r4", "r5"].map(stubborn));
  await attemptKilledAt(4, model);
  const from = await resume({ model }, upTo(4), never);
  expect(from.repairs).toBe(3);
  expect(await thrownBy(loop(model, { from, input: "" }))).toMatchObject({
    code: "deliverable_placeholder_mismatch",
  });
  model.assertDone();
});

test("a message that an earlier attempt had shortened is not shortened twice", async () => {
  const model = scriptedModel(says("x".repeat(24_001), "r1"), says("y".repeat(24_002), "r2"));
  await attemptKilledAt(2, model);
  const from = await resume({ model }, upTo(2), never);
  expect(await thrownBy(loop(model, { from, input: "" }))).toMatchObject({
    code: "assistant_message_too_long",
  });
  model.assertDone();
});

test("an empty end after an earlier attempt's deliverables delivers them with that attempt's words", async () => {
  const mute = new RunnerError("model_empty", "neither text nor a tool call");
  const model = scriptedModel(
    { ...calls("r1", ["create_list", teas]), text: "Here are the teas." },
    { responseId: "r2", status: "completed", error: mute },
  );
  await attemptKilledAt(2, model);
  const from = await resume({ model }, upTo(2), never);
  expect(await loop(model, { from, input: "" })).toMatchObject({ message: "Here are the teas.", rounds: 1 });
});
