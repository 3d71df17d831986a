import { describe, expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { ErrorCode } from "../../../lib/core/errors.ts";
import type { Model, StoredTurn } from "../../../lib/model/model.ts";
import { FirstRoundFailed, type LoopStart } from "../../../lib/agent/conversation.ts";
import { resume } from "../../../lib/agent/resume.ts";
import type { RoundStart } from "../../../lib/agent/tool-loop.ts";
import { calls, says, scriptedModel, type Step } from "../../support/scripted-model.ts";
import { list, loop, teas, usageOf } from "./loop-support.ts";
import { never, thrownBy } from "../model/support.ts";

const killed = new Error("killed");
const transientFailure = new RunnerError("model_failed", "server_error", { retryable: true });
const missing = { code: "model_previous_response_missing" };

/** The ids of a run's first responses. */
const upTo = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `r${at + 1}`);

/** Where an attempt resumes a run that was killed after the response of round `round` was recorded. */
async function resumedAt(round: number, model: Model): Promise<LoopStart> {
  const onStarted = ({ number }: RoundStart) => {
    if (number === round) throw killed;
  };
  expect(await thrownBy(loop(model, {}, { onStarted }))).toBe(killed);
  return resume({ model }, upTo(round), never);
}

const failed = (responseId: string, status: "failed" | "cancelled"): Step => ({
  responseId,
  status,
  error: new RunnerError("model_failed", "produced nothing"),
});

type Responses = Readonly<Record<string, Partial<StoredTurn>>>;

/** Resumes a run from a provider's responses, which are completed unless overridden. */
function resumed(responses: Responses, ids = Object.keys(responses)): Promise<LoopStart> {
  const retrieve: Model["retrieve"] = async (responseId) => {
    const found = responses[responseId];
    if (found === undefined) throw new RunnerError("model_previous_response_missing", "gone");
    const usage = found.turn?.usage ?? usageOf(0);
    return { previousResponseId: undefined, status: "completed", turn: undefined, usage, ...found };
  };
  return resume({ model: { retrieve } }, ids, never);
}

test("a resumed run reads its stored responses and follows the last one", async () => {
  const model = scriptedModel(
    calls("r1", ["create_list", list("a")]),
    calls("r2", ["create_list", list("b")], ["create_list", "{broken"]),
    says("{{artifact:list:a}}", "r3"),
  );
  const from = await resumedAt(3, model);
  expect(model.looks).toEqual(["retrieve r1", "retrieve r2", "retrieve r3"]);
  expect(from.draft.lists.map(({ id }) => id)).toEqual(["a", "b"]);
  expect(from).toMatchObject({ rounds: 2, toolRounds: 2, repairs: 0, usage: usageOf(2) });
  expect(from).toMatchObject({
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

test.for(["queued", "in_progress", "completed", "incomplete"] as const)(
  "a last response that is %s is followed",
  async (status) => {
    const r1 = { turn: calls("r1", ["create_list", teas]) };
    const from = await resumed({ r1, r2: { previousResponseId: "r1", status } });
    expect(from.next).toMatchObject({ kind: "follow", responseId: "r2" });
  },
);

test.for(["failed", "cancelled"] as const)(
  "when the last response is %s, only that round is asked again, from the one before it",
  async (status) => {
    const model = scriptedModel(
      calls("r1", ["create_list", teas]),
      failed("r2", status),
      says("{{artifact:list:teas}}", "r3"),
    );
    const from = await resumedAt(2, model);
    expect(from).toMatchObject({ rounds: 1, next: { kind: "ask", previousResponseId: "r1" } });
    expect((await loop(model, { from })).message).toBe("{{artifact:list:teas}}");
    model.assertDone();
    expect(model.requests[2]!.previousResponseId).toBe("r1");
    expect(model.requests[2]!.input).toEqual(model.requests[1]!.input);
    expect(model.looks).toEqual(["retrieve r1", "retrieve r2"]);
  },
);

test("the usage of a failed response is counted", async () => {
  const r1 = { turn: calls("r1", ["create_list", teas]) };
  const r2 = { previousResponseId: "r1", status: "failed", usage: usageOf(3) } as const;
  expect((await resumed({ r1, r2 })).usage).toEqual(usageOf(4));
});

test("a repair whose response failed is asked again with the same prompt", async () => {
  const wrong = says("See {{artifact:list:teas}}.", "r1");
  const model = scriptedModel(wrong, failed("r2", "failed"), says("Green.", "r3"));
  const from = await resumedAt(2, model);
  expect(from).toMatchObject({ rounds: 1, toolRounds: 0, repairs: 1 });
  await loop(model, { from });
  expect(model.requests[2]!.input).toEqual(model.requests[1]!.input);
});

test("a message that was sent back counts as repaired, even when a later round failed", async () => {
  const r1 = { turn: says("Green.", "r1") };
  const r2 = { previousResponseId: "r1", turn: says("Black.", "r2") };
  const r3 = { previousResponseId: "r2", status: "failed", usage: usageOf(1) } as const;
  const sentBack = { repairs: 1, sentBack: true, rounds: 1, next: { kind: "follow", responseId: "r2" } };
  expect(await resumed({ r1 })).toMatchObject({ repairs: 0, sentBack: false });
  expect(await resumed({ r1, r2 })).toMatchObject(sentBack);
  expect(await resumed({ r1, r2, r3 })).toMatchObject({ ...sentBack, usage: usageOf(2) });
});

test.for(["failed", "cancelled"] as const)(
  "a first response that is %s is reported as a first round that failed",
  async (status) => {
    const message = `the run's earlier responses cannot be used: its first response is ${status}`;
    expect(await thrownBy(resumed({ r1: { status } }))).toEqual(new FirstRoundFailed(message));
  },
);

describe("a followed response", () => {
  const ending = (from: LoopStart, error: Error, model = scriptedModel()) =>
    loop({ ...model, follow: () => Promise.reject(error) }, { from });

  test("that fails with a transient error is asked for again from the one before it", async () => {
    const model = scriptedModel(
      calls("r1", ["create_list", teas]),
      calls("r2", ["create_list", list("late")]),
      says("{{artifact:list:teas}}", "r3"),
    );
    const from = await resumedAt(2, model);
    const result = await ending(from, transientFailure, model);
    expect(result).toMatchObject({ message: "{{artifact:list:teas}}", rounds: 2 });
    expect(model.requests[2]!.input).toEqual(model.requests[1]!.input);
    expect(model.requests[2]!.previousResponseId).toBe("r1");
  });

  test("that fails with a transient error as the run's first one makes the run start over", async () => {
    const from = await resumed({ r1: { status: "in_progress" } });
    const message = "the run's first response produced nothing (server_error)";
    expect(await thrownBy(ending(from, transientFailure))).toEqual(new FirstRoundFailed(message));
  });

  const r1 = { turn: calls("r1", ["create_list", teas]) };

  test.each<[string, Responses, RunnerError]>([
    [
      "that stops early as the first one fails with its own reason",
      { r1: { status: "incomplete" } },
      new RunnerError("model_content_filtered", "the provider's content filter stopped it"),
    ],
    [
      "that fails permanently ends the loop with its error",
      { r1, r2: { status: "in_progress" } },
      new RunnerError("model_failed", "cancelled"),
    ],
    [
      "that disappears makes the run start over",
      { r1, r2: { status: "in_progress" } },
      new RunnerError("model_previous_response_missing", "gone"),
    ],
  ])("%s, and is not asked for again", async (_, responses, error) => {
    const from = await resumed(responses);
    expect(from.next.kind).toBe("follow");
    expect(await thrownBy(ending(from, error))).toBe(error);
  });
});

test("a last response that is gone is asked for again", async () => {
  const r1 = { turn: calls("r1", ["create_list", teas]) };
  const input = [{ type: "tool_output", callId: "r1-1" }];
  expect(await resumed({ r1 }, ["r1", "r2"])).toMatchObject({
    rounds: 1,
    usage: usageOf(1),
    next: { kind: "ask", previousResponseId: "r1", input },
  });
});

test.for<readonly [string, Responses]>([
  ["all responses are gone", {}],
  ["an earlier response is gone", { r9: { previousResponseId: "r8" } }],
  ["an earlier response failed", { r8: { status: "failed" }, r9: { previousResponseId: "r8" } }],
  ["an earlier response is in progress", { r8: { status: "in_progress" }, r9: { previousResponseId: "r8" } }],
  ["an earlier response is empty", { r8: {}, r9: { previousResponseId: "r8" } }],
  [
    "a response follows another one than the run has recorded",
    {
      r8: { turn: calls("r8", ["create_list", teas]) },
      r9: { previousResponseId: "r7", status: "in_progress" },
    },
  ],
])("a chain is missing when %s", async ([, responses]) => {
  const error = await thrownBy(resumed(responses, ["r8", "r9"]));
  expect(error).toMatchObject(missing);
  expect(error).not.toBeInstanceOf(FirstRoundFailed);
});

const failingToRead = (failure: Error) =>
  thrownBy(resume({ model: { retrieve: () => Promise.reject(failure) } }, ["r1"], never));

test.for<ErrorCode>(["model_rejected", "model_contract"])(
  "a chain is missing when reading it fails with %s",
  async (code) => {
    expect(await failingToRead(new RunnerError(code, "no"))).toMatchObject(missing);
  },
);

test.for<ErrorCode>(["model_key_refused", "model_unavailable", "secret_missing"])(
  "%s while reading is thrown unchanged, since it says nothing about the chain",
  async (code) => {
    const failure = new RunnerError(code, "no");
    expect(await failingToRead(failure)).toBe(failure);
  },
);

test("an abort while reading rejects with the signal's reason", async () => {
  const reason = new Error("the lease is lost");
  const model = scriptedModel();
  expect(await thrownBy(resume({ model }, ["r1"], AbortSignal.abort(reason)))).toBe(reason);
});

test("a run is resumed from a provider that does not say which response follows which", async () => {
  const from = await resumed({
    r1: { turn: calls("r1", ["create_list", teas]) },
    r2: { turn: calls("r2", ["create_list", list("more")]) },
    r3: { status: "in_progress" },
  });
  expect(from.draft.lists.map(({ id }) => id)).toEqual(["teas", "more"]);
  expect(from.next).toMatchObject({ kind: "follow", responseId: "r3", previousResponseId: "r2" });
});

test("a run with more than 30 responses is not resumed", async () => {
  const chain = (length: number) =>
    Object.fromEntries(upTo(length).map((id) => [id, { turn: says("Sent back.", id) }]));
  expect(await resumed(chain(30))).toMatchObject({ rounds: 29 });
  expect(await thrownBy(resumed(chain(31)))).toMatchObject({
    ...missing,
    message: "the run's earlier responses cannot be used: they are more than 30",
  });
});

test("repairs of earlier attempts count towards the limit", async () => {
  const stubborn = (id: string) => says("{{artifact:chart:sales}}", id);
  const model = scriptedModel(...upTo(5).map(stubborn));
  const from = await resumedAt(4, model);
  expect(from.repairs).toBe(3);
  const error = await thrownBy(loop(model, { from }));
  expect(error).toMatchObject({ code: "deliverable_placeholder_mismatch" });
  model.assertDone();
});
