import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { noUsage } from "../../../lib/model/model.ts";
import { createWork } from "../../../lib/attempt/work.ts";
import type { WorkContext } from "../../../lib/attempt/work-context.ts";
import type { RoundEnd, RoundStart } from "../../../lib/agent/tool-loop.ts";
import { runSchema, type Run, type RunProgress } from "../../../lib/runs/run.ts";
import type { Context } from "../../../lib/studio/schemas.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { partOf } from "../../support/part-of.ts";
import { calls, says, scriptedModel, type ScriptedModel } from "../../support/scripted-model.ts";
import { recordingLog } from "../../support/silent.ts";
import { usageOf } from "../agent/loop-support.ts";
import { jobContext } from "./attempt-world.ts";

const list = { list: { id: "teas", items: ["green"] } };
const twoRounds = () =>
  scriptedModel(calls("r1", ["create_list", list]), says("{{artifact:list:teas}}", "r2"));
const message = (id: string, createdAtMs = 1) => ({ id, role: "user" as const, text: "x", createdAtMs });

/** The work context of an attempt at the run with this row, and what the work reports to it. */
function attempt(row: Partial<Run> = {}, changed: Partial<Context> = {}) {
  const notes: RunProgress[] = [];
  const started: RoundStart[] = [];
  const ended: RoundEnd[] = [];
  const written: (number | undefined)[] = [];
  const digests: string[] = [];
  const titles: (string | undefined)[] = [];
  const log = recordingLog();
  let contexts = 0;
  const run = runSchema.parse({
    pool: "p",
    id: "run#r",
    runId: "r",
    workspaceId: "w",
    keyId: "k",
    state: "running",
    attempt: 1,
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
    job: partOf({
      context: async () => {
        contexts++;
        return { ...jobContext, recentMessages: [], ...changed };
      },
    }),
    saveProgress: async (progress) => void notes.push(progress),
    onRoundStarted: async (start) => void started.push(start),
    onJobRead: ({ jobDigest, createdAtMs, title }) => {
      digests.push(jobDigest);
      written.push(createdAtMs);
      titles.push(title);
    },
    mayAsk: async () => undefined,
    onToolCall: () => undefined,
    onRoundEnded: (end) => void ended.push(end),
  };
  const inputTokens = () => ended.map(({ usage }) => usage.inputTokens);
  const reported = { started, ended, written, digests, titles };
  return { context, notes, ...reported, log, inputTokens, contexts: () => contexts };
}

const settingsOf = (model: ScriptedModel) => ({
  modelFor: () => model,
  modelName: "m",
  summaryModelName: "s",
  store: true,
});
const work = (model: ScriptedModel, store = true) => createWork({ ...settingsOf(model), store });

describe("a first attempt", () => {
  it("reads the context and returns the payload", async () => {
    const first = attempt();
    const { payload, deliverables } = await work(twoRounds())(first.context);
    expect(payload).toMatchObject({ assistantMessage: "{{artifact:list:teas}}", lists: [{ id: "teas" }] });
    expect(deliverables).toMatchObject({ list: 1, chart: 0 });
    expect(first.started).toMatchObject([
      { number: 1, responseId: "r1" },
      { number: 2, responseId: "r2" },
    ]);
    expect(first.inputTokens()).toEqual([100, 200]);
  });

  it("asks for every round with the same options", async () => {
    const model = twoRounds();
    const roundOptions = { reasoningEffort: "low", maxOutputTokens: 2_000 } as const;
    await createWork({ ...settingsOf(model), roundOptions })(attempt().context);
    expect(model.requests.map(({ options }) => options)).toEqual([roundOptions, roundOptions]);
  });

  const recentMessages = [message("a", 50_000), message("b", 90_000), message("c", 80_000)];

  it.each([
    [90_000, "Studio's clock agrees with ours", { recentMessages }],
    [30_000, "Studio's clock is a minute ahead", { recentMessages, skewMs: 60_000 }],
    [undefined, "Studio gives no time", {}],
  ])("reports %s as the time of the newest message when %s", async (expected, _, changed) => {
    const first = attempt({}, changed);
    await work(scriptedModel(says("Done.")))(first.context);
    expect(first.written).toEqual([expected]);
  });

  it.each([
    ["Teas of the world", "Teas of the world"],
    ["  Two\nlines and a bell\u0007 ", String.raw`Two lines and a bell\u0007`],
    ["x".repeat(500), "x".repeat(120)],
    [" ", undefined],
    [null, undefined],
  ])("reports the workspace's title %j as %j", async (title, expected) => {
    const first = attempt({}, { title });
    await work(scriptedModel(says("Done.")))(first.context);
    expect(first.titles).toEqual([expected]);
  });

  it("notes no response id when the provider does not store responses", async () => {
    const first = attempt();
    await work(scriptedModel(says("Done.")), false)(first.context);
    expect(first.started.map(({ responseId }) => responseId)).toEqual([undefined]);
  });

  it("sends a payload that Studio refuses back to the model on the same chain", async () => {
    const model = scriptedModel(says("Too long a title.", "r1"), says("Shorter.", "r2"));
    const product = await work(model)(attempt().context);
    expect((await product.repair?.("title: at most 200"))?.payload.assistantMessage).toBe("Shorter.");
    expect(model.requests[1]).toMatchObject({ previousResponseId: "r1" });
  });
});

describe("a later attempt", () => {
  it("resumes from the stored responses and repeats no model call of an earlier attempt", async () => {
    const model = twoRounds();
    await work(model)(attempt().context);
    const later = attempt({ attempt: 2, rounds: 2, responseIds: ["r1", "r2"] });
    const { payload } = await work(model)(later.context);
    expect(payload).toMatchObject({ assistantMessage: "{{artifact:list:teas}}", lists: [{ id: "teas" }] });
    expect(model.requests).toHaveLength(2);
    expect(later.contexts()).toBe(0);
    expect(later.log.events).toEqual(["job_resumed"]);
    expect(later.inputTokens()).toEqual([200]);
  });

  it("starts over when the chain cannot be read, and logs it", async () => {
    const later = attempt({ attempt: 2, rounds: 1, responseIds: ["gone"] });
    const product = await work(scriptedModel(says("Again.")))(later.context);
    expect(product.payload.assistantMessage).toBe("Again.");
    expect(later.notes).toEqual([{ startedOver: true, responseIds: [], rounds: 0, usageBefore: noUsage }]);
    expect(later.log.events).toEqual(["job_started_over", "prior_context"]);
  });

  it("starts over once when the provider stores no responses, and logs it", async () => {
    const recorded = { ...noUsage, inputTokens: 7 };
    const later = attempt({ attempt: 2, rounds: 2, usage: recorded });
    const product = await work(scriptedModel(says("Again.")), false)(later.context);
    expect(product.payload.assistantMessage).toBe("Again.");
    expect(later.notes).toEqual([
      { startedOver: true, responseIds: [], rounds: 0, usageBefore: noUsage },
      { usageBeside: recorded },
    ]);
    expect(later.log.events).toEqual(["job_started_over", "prior_context"]);
    // The first attempt was paid for too.
    expect(later.inputTokens()).toEqual([107]);
    const again = attempt({ attempt: 3, rounds: 1, startedOver: true });
    await expect(work(scriptedModel(), false)(again.context)).rejects.toMatchObject({
      code: "model_previous_response_missing",
    });
  });

  it("starts the job when no round has been asked for yet", async () => {
    const later = attempt({ attempt: 2 });
    const product = await work(scriptedModel(says("Done.")), false)(later.context);
    expect(product.payload.assistantMessage).toBe("Done.");
    expect(later.notes).toEqual([]);
    expect(later.log.events).toEqual(["prior_context"]);
  });

  it("asks for no second repair, whether the row or the chain shows the first one", async () => {
    const model = scriptedModel(says("Refused.", "r1"), says("Corrected.", "r2"));
    const first = await work(model)(attempt().context);
    const known = attempt({ attempt: 2, rounds: 1, responseIds: ["r1"], repaired: true });
    expect((await work(model)(known.context)).repair).toBeUndefined();
    const unknown = attempt({ attempt: 2, rounds: 1, responseIds: ["r1"] });
    expect((await work(model)(unknown.context)).repair).toBeDefined();
    await first.repair?.("title: at most 200");
    const shown = attempt({ attempt: 2, rounds: 2, responseIds: ["r1", "r2"] });
    expect((await work(model)(shown.context)).repair).toBeUndefined();
  });

  it("asks for the first round again when its response failed, even if the run has started over before", async () => {
    const error = new RunnerError("model_failed", "server_error", { retryable: true });
    const model = scriptedModel({ responseId: "r1", status: "failed", error }, says("Again.", "r2"));
    await work(model)(attempt().context).catch(() => undefined);
    const later = attempt({ attempt: 3, rounds: 1, responseIds: ["r1"], startedOver: true });
    const product = await work(model)(later.context);
    expect(product.payload.assistantMessage).toBe("Again.");
    expect(later.notes[0]).toMatchObject({ responseIds: [], rounds: 0 });
    const unmarked = attempt({ attempt: 2, rounds: 1, responseIds: ["r1"] });
    await work({ ...model, generate: async () => says("Again.", "r3") })(unmarked.context);
    expect(unmarked.notes[0]).toMatchObject({ startedOver: false, responseIds: [] });
  });

  it("does not start over twice", async () => {
    const later = attempt({ attempt: 3, rounds: 1, responseIds: ["gone"], startedOver: true });
    await expect(work(scriptedModel())(later.context)).rejects.toMatchObject({
      code: "model_previous_response_missing",
    });
  });

  it("adds the usage of the summary to that of the chain", async () => {
    const model = scriptedModel(says("Done.", "r1"));
    await work(model)(attempt().context);
    const usageBeside = { ...noUsage, inputTokens: 7 };
    const later = attempt({ attempt: 2, rounds: 1, responseIds: ["r1"], usageBeside });
    await work(model)(later.context);
    expect(later.inputTokens()).toEqual([107]);
  });
});

describe("a run that takes over the job of an earlier run", () => {
  const thisJob = { recentMessages: [message("m1")] };
  /** What a run leaves that was superseded after its first round. */
  async function lostAfterOneRound() {
    const model = twoRounds();
    const earlier = attempt({}, thisJob);
    const lost = new RunnerError("superseded", "a newer run has the workspace");
    let rounds = 0;
    const mayAsk = async (): Promise<void> => {
      if (++rounds > 1) throw lost;
    };
    const asking = {
      ...model,
      generate: async (...[request, generation]: Parameters<typeof model.generate>) => {
        await generation.mayAsk?.();
        return model.generate(request, generation);
      },
    };
    await expect(work(asking)({ ...earlier.context, mayAsk })).rejects.toBe(lost);
    const inherited = {
      runId: "r0",
      jobDigest: earlier.digests[0]!,
      responseIds: ["r1"],
      usage: usageOf(1),
      usageBeside: noUsage,
      repaired: false,
    };
    return { model: asking, inherited };
  }

  it("makes no model call once it is superseded itself", async () => {
    const { model } = await lostAfterOneRound();
    expect(model.requests).toHaveLength(1);
  });

  it("repeats no model call of the earlier run, and counts only the usage that it adds", async () => {
    const { model, inherited } = await lostAfterOneRound();
    const next = attempt({ inherited }, thisJob);
    const { payload } = await work(model)(next.context);
    expect(payload).toMatchObject({ assistantMessage: "{{artifact:list:teas}}", lists: [{ id: "teas" }] });
    expect(model.requests).toHaveLength(2);
    expect(next.contexts()).toBe(1);
    expect(next.notes).toEqual([
      { rounds: 1, responseIds: ["r1"], usageBefore: usageOf(1), usageBeside: noUsage, repaired: false },
    ]);
    expect(next.ended.map(({ number, usage }) => [number, usage])).toEqual([
      [1, usageOf(0)],
      [2, usageOf(1)],
    ]);
    expect(next.log.events).toEqual(["job_resumed"]);
  });

  it("counts the same usage when its second attempt resumes it", async () => {
    const { model, inherited } = await lostAfterOneRound();
    await work(model)(attempt({ inherited }, thisJob).context);
    const counted = { usageBefore: usageOf(1), usage: usageOf(0) };
    const row = { attempt: 2, rounds: 2, responseIds: ["r1", "r2"], ...counted };
    const second = attempt({ ...row, inherited }, thisJob);
    await work(model)(second.context);
    expect(model.requests).toHaveLength(2);
    expect(second.ended.map(({ usage }) => usage)).toEqual([usageOf(1)]);
  });

  it("starts from scratch when the workspace's lease is for another job", async () => {
    const { inherited } = await lostAfterOneRound();
    const next = attempt({ inherited }, { recentMessages: [message("m1"), message("m2")] });
    const product = await work(scriptedModel(says("Two answers.")))(next.context);
    expect(product.payload.assistantMessage).toBe("Two answers.");
    expect(next.contexts()).toBe(1);
    expect(next.log.events).toEqual(["prior_context"]);
    expect(next.inputTokens()).toEqual([100]);
  });

  it("starts from scratch, and logs it, when the first response is cancelled while it is followed", async () => {
    const { inherited } = await lostAfterOneRound();
    const next = attempt({ inherited }, thisJob);
    const cancelled = new RunnerError("model_failed", "the response was cancelled", { retryable: true });
    const inProgress = { previousResponseId: undefined, status: "in_progress", turn: undefined } as const;
    const losing = {
      ...scriptedModel(says("Again.")),
      retrieve: async () => ({ ...inProgress, usage: noUsage }),
      follow: () => Promise.reject(cancelled),
    };
    const product = await work(losing)(next.context);
    expect(product.payload.assistantMessage).toBe("Again.");
    expect(next.log.events).toEqual(["job_resumed", "job_started_over", "prior_context"]);
    expect(next.contexts()).toBe(1);
  });

  it("starts from scratch, and logs it, when the provider no longer has the responses", async () => {
    const { inherited } = await lostAfterOneRound();
    const next = attempt({ inherited }, thisJob);
    const product = await work(scriptedModel(says("Again.")))(next.context);
    expect(product.payload.assistantMessage).toBe("Again.");
    expect(next.log.events).toEqual(["job_started_over", "prior_context"]);
    expect(next.inputTokens()).toEqual([100]);
  });
});

describe("the newest message in the log", () => {
  it.each([
    ["is left out unless the settings ask for it", undefined, undefined],
    ["is cut to the number of code points in the settings", 5, "👩‍💻 C"],
    ["is logged in full when it is shorter", 200, "👩‍💻 Compare teas."],
  ])("%s", async (_, previewCharacters, preview) => {
    const newest = { ...message("m2", 2), text: "👩‍💻 Compare teas." };
    const { context, log } = attempt({}, { recentMessages: [newest, message("m1")] });
    await createWork({ ...settingsOf(scriptedModel(says("Done."))), previewCharacters })(context);
    expect(log.lines.find(({ event }) => event === "prior_context")?.fields.preview).toBe(preview);
  });
});
