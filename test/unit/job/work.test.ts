import { describe, expect, it } from "vitest";
import { noUsage } from "../../../lib/inference/model.ts";
import { createWork } from "../../../lib/job/work.ts";
import type { RoundEnd, RoundStart, WorkContext } from "../../../lib/job/work-context.ts";
import { runSchema, type Run, type RunProgress } from "../../../lib/ledger/run.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { calls, says, scriptedModel, type ScriptedModel } from "../../support/scripted-model.ts";
import { recordingLog } from "../../support/silent.ts";

const unused = (): never => {
  throw new Error("not this test's business");
};
const list = { list: { id: "teas", items: ["green"] } };

/** A leg's side of the work, for a run as its row says. */
function leg(row: Partial<Run> = {}) {
  const notes: RunProgress[] = [];
  const started: RoundStart[] = [];
  const ended: RoundEnd[] = [];
  const log = recordingLog();
  let contexts = 0;
  const run = runSchema.parse({
    pool: "p",
    id: "run#r",
    runId: "r",
    workspaceId: "w",
    keyId: "k",
    state: "running",
    leg: 1,
    leasedAtMs: 0,
    leaseMs: 600_000,
    leaseExpiresAtMs: 600_000,
    calledAtMs: 0,
    ...row,
  });
  const context: WorkContext = {
    clock: createFakeClock(),
    random: () => 1,
    log,
    run,
    signal: new AbortController().signal,
    job: {
      context: async () => {
        contexts++;
        return {
          workspaceId: "w",
          title: null,
          legacyIdea: null,
          messageCount: 1,
          recentMessages: [],
          priorMessages: [],
          recentText: "Compare teas.",
          priorTextVerbatim: "",
          recentTokenEstimate: 1,
          priorTokenEstimate: 0,
          priorNeedsSummarization: false,
          storedPriorSummary: null,
          storedSummaryCoversPrior: false,
        };
      },
      heartbeat: unused,
      updateSummary: unused,
      complete: unused,
      fail: unused,
    },
    note: async (progress) => void notes.push(progress),
    onRoundStarted: async (start) => void started.push(start),
    onRoundEnded: (end) => void ended.push(end),
  };
  return { context, notes, started, ended, log, contexts: () => contexts };
}

const work = (model: ScriptedModel, store = true) =>
  createWork({ model, modelName: "m", summaryModelName: "s", store });

describe("a first leg", () => {
  it("reads the context and makes the payload", async () => {
    const model = scriptedModel(calls("r1", ["create_list", list]), says("{{artifact:list:teas}}", "r2"));
    const first = leg();
    const product = await work(model)(first.context);
    expect(product.payload).toMatchObject({
      assistantMessage: "{{artifact:list:teas}}",
      lists: [{ id: "teas" }],
    });
    expect(product.deliverables).toMatchObject({ list: 1, chart: 0 });
    expect(
      first.started.map(({ number, responseId, previousResponseId }) => [
        number,
        responseId,
        previousResponseId,
      ]),
    ).toEqual([
      [1, "r1", undefined],
      [2, "r2", "r1"],
    ]);
    expect(first.ended.map(({ usage }) => usage.inputTokens)).toEqual([100, 200]);
  });

  it("notes no response that the provider does not keep", async () => {
    const first = leg();
    await work(scriptedModel(says("Done.")), false)(first.context);
    expect(first.started.map(({ responseId }) => responseId)).toEqual([undefined]);
  });

  it("sends what Studio refuses back to the model, on the same chain", async () => {
    const model = scriptedModel(says("Too long a title.", "r1"), says("Shorter.", "r2"));
    const product = await work(model)(leg().context);
    expect((await product.repair?.("title: at most 200"))?.payload.assistantMessage).toBe("Shorter.");
    expect(model.requests[1]).toMatchObject({ previousResponseId: "r1" });
  });
});

describe("a later leg", () => {
  it("asks for nothing that an earlier leg has asked for", async () => {
    const model = scriptedModel(calls("r1", ["create_list", list]), says("{{artifact:list:teas}}", "r2"));
    await work(model)(leg().context);
    const asked = model.requests.length;
    const later = leg({ leg: 2, rounds: 2, lastResponseId: "r2", previousResponseId: "r1" });
    const product = await work(model)(later.context);
    expect(product.payload).toMatchObject({
      assistantMessage: "{{artifact:list:teas}}",
      lists: [{ id: "teas" }],
    });
    expect(model.requests).toHaveLength(asked);
    expect(later.contexts()).toBe(0);
    expect(later.log.events).toEqual(["job_resumed"]);
    expect(later.ended.map(({ usage }) => usage.inputTokens)).toEqual([200]);
  });

  it("starts over once where the chain cannot be read, and says so", async () => {
    const later = leg({ leg: 2, rounds: 1, lastResponseId: "gone" });
    const product = await work(scriptedModel(says("Again.")))(later.context);
    expect(product.payload.assistantMessage).toBe("Again.");
    expect(later.notes).toEqual([{ startedOver: true }]);
    expect(later.log.events).toEqual(["job_started_over", "prior_context"]);
  });

  it("starts over once where the provider keeps no responses, and says so", async () => {
    const noted = { ...noUsage, inputTokens: 7 };
    const later = leg({ leg: 2, rounds: 2, usage: noted });
    const product = await work(scriptedModel(says("Again.")), false)(later.context);
    expect(product.payload.assistantMessage).toBe("Again.");
    expect(later.notes).toEqual([{ startedOver: true }]);
    expect(later.log.events).toEqual(["job_started_over", "prior_context"]);
    // The first attempt was paid for too.
    expect(later.ended.map(({ usage }) => usage.inputTokens)).toEqual([107]);
    const again = leg({ leg: 3, rounds: 1, startedOver: true });
    await expect(work(scriptedModel(), false)(again.context)).rejects.toMatchObject({
      code: "model_previous_response_missing",
    });
  });

  it("of a run that was asked for nothing yet begins it", async () => {
    const later = leg({ leg: 2 });
    const product = await work(scriptedModel(says("Done.")), false)(later.context);
    expect(product.payload.assistantMessage).toBe("Done.");
    expect(later.notes).toEqual([]);
    expect(later.log.events).toEqual(["prior_context"]);
  });

  it("does not start over twice", async () => {
    const later = leg({ leg: 3, rounds: 1, lastResponseId: "gone", startedOver: true });
    await expect(work(scriptedModel())(later.context)).rejects.toMatchObject({
      code: "model_previous_response_missing",
    });
  });

  it("counts what the summary has cost beside the chain", async () => {
    const model = scriptedModel(says("Done.", "r1"));
    await work(model)(leg().context);
    const noted = { ...noUsage, inputTokens: 7 };
    const later = leg({ leg: 2, rounds: 1, lastResponseId: "r1", usage: noted });
    await work(model)(later.context);
    expect(later.ended.map(({ usage }) => usage.inputTokens)).toEqual([107]);
  });
});
