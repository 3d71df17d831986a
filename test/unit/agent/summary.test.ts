import { expect, test } from "vitest";
import type { ErrorCode } from "../../../lib/core/errors.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import { earlierContext } from "../../../lib/agent/summary.ts";
import { noUsage } from "../../../lib/model/model.ts";
import type { ModelTurn } from "../../../lib/model/model.ts";
import type { Step } from "../../support/scripted-model.ts";
import { says, scriptedModel } from "../../support/scripted-model.ts";
import { context, summaryPorts } from "./context-support.ts";
import { usageOf } from "./loop-support.ts";
import { never, thrownBy } from "../model/support.ts";

const long = context({ priorNeedsSummarization: true, priorTextVerbatim: "A long story." });
const stored = { text: "Stored.", fromMessageId: "m1", throughMessageId: "m3" };
const covering = { storedPriorSummary: stored, storedSummaryCoversPrior: true };
const saidFresh = () => scriptedModel(says(" Fresh. ", "r1"));

test("short history stays verbatim and no model is asked", async () => {
  const { ports } = summaryPorts(scriptedModel());
  const given = context({ priorTextVerbatim: "Short.", ...covering });
  const verbatim = { text: "Short.", usage: noUsage, summarized: "verbatim" };
  expect(await earlierContext(ports, given, never)).toEqual(verbatim);
});

test("a stored summary that covers the history is used as it is", async () => {
  const { ports, saved } = summaryPorts(scriptedModel());
  const result = await earlierContext(ports, { ...long, ...covering }, never);
  expect(result).toMatchObject({ text: "Stored.", summarized: "stored" });
  expect(saved).toEqual([]);
});

test.for([
  ["does not cover the history", stored, false],
  ["is blank", { ...stored, text: " " }, true],
  ["is absent", null, true],
] as const)("a stored summary that %s is replaced by a fresh one", async ([, storedPriorSummary, covers]) => {
  const { ports } = summaryPorts(saidFresh());
  const given = { ...long, storedPriorSummary, storedSummaryCoversPrior: covers };
  expect(await earlierContext(ports, given, never)).toMatchObject({ text: "Fresh.", summarized: "fresh" });
});

test("a fresh summary is made by the summary model, unstored and without tools, and saved with its range", async () => {
  const model = saidFresh();
  const { ports, saved } = summaryPorts(model);
  const fresh = { text: "Fresh.", usage: usageOf(1), summarized: "fresh" };
  expect(await earlierContext(ports, long, never)).toEqual(fresh);
  const input = [{ type: "message", text: "A long story." }];
  expect(model.requests[0]).toMatchObject({ model: "gpt-6-luna-mini", input, tools: [], store: false });
  expect(model.requests[0]!.instructions).toContain("at most 39800 characters");
  expect(saved).toEqual([{ summaryText: "Fresh.", fromMessageId: "m1", throughMessageId: "m3" }]);
});

test("a fresh summary is not saved when Studio names no prior message", async () => {
  const { ports, saved } = summaryPorts(saidFresh());
  await earlierContext(ports, { ...long, priorMessages: [] }, never);
  expect(saved).toEqual([]);
});

test("a summary is made from the last 360,000 characters and cut to 39,800", async () => {
  const model = scriptedModel(says("z".repeat(50_000)));
  const { ports, saved } = summaryPorts(model);
  const priorTextVerbatim = `${"a".repeat(10)}${"b".repeat(360_000)}`;
  const { text } = await earlierContext(ports, { ...long, priorTextVerbatim }, never);
  expect(model.requests[0]!.input).toEqual([{ type: "message", text: "b".repeat(360_000) }]);
  expect(text).toHaveLength(39_800);
  expect(saved[0]!.summaryText).toHaveLength(39_800);
});

test.for<ErrorCode>([
  "model_unavailable",
  "model_refused",
  "model_empty",
  "model_rejected",
  "model_incomplete",
])("after %s the tail of the history replaces the summary, and is not saved", async (code) => {
  const failure = new RunnerError(code, "no summary");
  const { ports, saved, failures } = summaryPorts(scriptedModel(failure));
  const priorTextVerbatim = `${"a".repeat(10)}${"b".repeat(39_800)}`;
  const result = await earlierContext(ports, { ...long, priorTextVerbatim }, never);
  expect(result).toMatchObject({ text: "b".repeat(39_800), summarized: "tail" });
  expect(saved).toEqual([]);
  expect(failures).toEqual([["summarize", failure]]);
});

test.for([
  new RunnerError("model_key_refused", "no"),
  new RunnerError("model_quota_exhausted", "no"),
  new RunnerError("secret_missing", "no"),
  new TypeError("undefined is not a function"),
])("%s is thrown, since the job's own rounds could not succeed either", async (failure) => {
  const { ports } = summaryPorts(scriptedModel(failure));
  expect(await thrownBy(earlierContext(ports, long, never))).toBe(failure);
});

test("a failure to save keeps the fresh summary and is reported", async () => {
  const failure = new RunnerError("studio_unavailable", "502");
  const { ports, failures } = summaryPorts(saidFresh(), () => Promise.reject(failure));
  expect(await earlierContext(ports, long, never)).toMatchObject({ text: "Fresh.", summarized: "fresh" });
  expect(failures).toEqual([["save", failure]]);
});

test.for<ErrorCode>(["lease_lost", "key_refused"])("%s while saving is thrown", async (code) => {
  const failure = new RunnerError(code, "no");
  const { ports } = summaryPorts(saidFresh(), () => Promise.reject(failure));
  expect(await thrownBy(earlierContext(ports, long, never))).toBe(failure);
});

test("an abort while summarizing or saving rejects with the signal's reason", async () => {
  const reason = new Error("the lease is lost");
  const summarizing = new AbortController();
  const whileAsking = scriptedModel(() => {
    summarizing.abort(reason);
    throw new RunnerError("model_unavailable", "cut");
  });
  const first = earlierContext(summaryPorts(whileAsking).ports, long, summarizing.signal);
  expect(await thrownBy(first)).toBe(reason);
  const saving = new AbortController();
  const { ports } = summaryPorts(saidFresh(), async () => {
    saving.abort(reason);
    throw new RunnerError("studio_unavailable", "cut");
  });
  expect(await thrownBy(earlierContext(ports, long, saving.signal))).toBe(reason);
});

test("a summary's response is stored when asked for, and its id is recorded", async () => {
  const model = saidFresh();
  const recorded: string[] = [];
  const onStarted = async (responseId: string) => void recorded.push(responseId);
  await earlierContext({ ...summaryPorts(model).ports, store: true, onStarted }, long, never);
  expect(model.requests[0]!.store).toBe(true);
  expect(recorded).toEqual(["r1"]);
});

test("an error while the id is recorded is thrown, and the tail does not replace the summary", async () => {
  const superseded = new RunnerError("superseded", "a newer attempt owns the run");
  const { ports, failures } = summaryPorts(saidFresh());
  const onStarted = () => Promise.reject(superseded);
  expect(await thrownBy(earlierContext({ ...ports, onStarted }, long, never))).toBe(superseded);
  expect(failures).toEqual([]);
});

/** Ports of an attempt after one that started the summary; following it gives `outcome`. */
const followed = (outcome: () => Promise<ModelTurn>, ...steps: readonly Step[]) => {
  const model = scriptedModel(...steps);
  const { ports, saved, failures } = summaryPorts({ ...model, follow: outcome });
  return { model, saved, failures, ports: { ...ports, resumeFrom: "r0" } };
};

test("a summary that an earlier attempt started is followed and saved, without a new request", async () => {
  const { ports, model, saved } = followed(async () => says("Earlier.", "r0"));
  const earlier = { text: "Earlier.", summarized: "fresh", usage: { inputTokens: 100 } };
  expect(await earlierContext(ports, long, never)).toMatchObject(earlier);
  expect(saved).toEqual([{ summaryText: "Earlier.", fromMessageId: "m1", throughMessageId: "m3" }]);
  expect(model.requests).toEqual([]);
});

test.for<ErrorCode>(["model_previous_response_missing", "model_failed"])(
  "an earlier attempt's summary that ended as %s is asked for again",
  async (code) => {
    const { ports, model } = followed(() => Promise.reject(new RunnerError(code, "gone")), says("Fresh."));
    expect(await earlierContext(ports, long, never)).toMatchObject({ text: "Fresh." });
    model.assertDone();
  },
);

test("an earlier attempt's summary that was declined is not asked for again: the tail replaces it", async () => {
  const refused = new RunnerError("model_refused", "no");
  const { ports, failures } = followed(() => Promise.reject(refused));
  expect(await earlierContext(ports, long, never)).toMatchObject({ summarized: "tail" });
  expect(failures).toEqual([["summarize", refused]]);
});

test("an earlier attempt's summary is not followed when Studio already has one", async () => {
  const { ports } = followed(() => Promise.reject(new Error("followed")));
  const result = await earlierContext(ports, { ...long, ...covering }, never);
  expect(result).toMatchObject({ text: "Stored.", summarized: "stored" });
});
