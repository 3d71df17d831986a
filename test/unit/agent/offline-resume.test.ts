import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../lib/core/clock.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { createHttp } from "../../../lib/adapters/http.ts";
import { createModelClient } from "../../../lib/model/client.ts";
import { createOpenAiModel } from "../../../lib/model/openai.ts";
import type { GenerationMode } from "../../../lib/core/options.ts";
import { resume } from "../../../lib/agent/resume.ts";
import { earlierContext } from "../../../lib/agent/summary.ts";
import type { LoopResult, ToolLoopJob } from "../../../lib/agent/tool-loop.ts";
import { runToolLoop } from "../../../lib/agent/tool-loop.ts";
import { Secret } from "../../../lib/core/secret.ts";
import { startModel } from "../../../local/model/server.ts";
import { eventuallyTrue } from "../../support/eventually.ts";
import { createHold, heldMs } from "../../support/hold.ts";
import { context, summaryDeps } from "./context-support.ts";
import type { LoopPorts } from "./loop-support.ts";
import { key, never, thrownBy } from "../model/support.ts";

/** Waits of an attempt are a fiftieth of what they are in earnest; silence is not. */
const hasty = {
  now: () => Date.now(),
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms > 10_000 ? ms : ms / 50, signal),
};

/** `heldRound`: that one does not end before `release`. */
async function offline(heldRound?: number) {
  const { modelClock, hold } = createHold();
  const latencyMs = heldRound === undefined ? 0 : heldMs;
  const server = await startModel({ clock: modelClock, latencyMs });
  onTestFinished(() => server.close());
  const apiKey = { get: async () => new Secret(key), refresh: async () => new Secret(key) };
  const model = (mode: GenerationMode = "auto") =>
    createOpenAiModel({
      client: createModelClient({ http: createHttp(), credential: { apiKey }, baseUrl: server.url }),
      clock: hasty,
      random: () => 0.5,
      mode,
    });
  const creates = () => server.requests().filter(({ path }) => path === "/v1/responses");
  hold(() => creates().length === heldRound);
  return { server, model, creates, release: () => hold(() => false) };
}

const job: ToolLoopJob = {
  model: "gpt-6-luna",
  input: "# The request\n\nCompare our sales by quarter with a chart and a table. [[rounds:4]]",
  store: true,
};

/** What a run makes, without the ids that the model gives. */
const made = ({ draft, message, rounds, usage }: LoopResult) => ({ draft, message, rounds, usage });

/** Gives the ids of the responses that it has begun. */
async function attemptKilledIn(round: number, deps: LoopPorts): Promise<readonly string[]> {
  const controller = new AbortController();
  const reason = new Error("killed");
  const ids: string[] = [];
  const onStarted: LoopPorts["onStarted"] = ({ number, responseId }) => {
    ids.splice(number - 1, Number.POSITIVE_INFINITY, responseId);
    if (number === round) setTimeout(() => controller.abort(reason), 5);
  };
  expect(await thrownBy(runToolLoop({ ...deps, onStarted }, job, controller.signal))).toBe(reason);
  return ids;
}

test.for([1, 2, 3, 4, 5])(
  "an attempt killed while round %i is generated: the next one ends the run, and no round is asked twice",
  async (round) => {
    const undisturbed = await offline();
    const whole = await runToolLoop({ model: undisturbed.model() }, job, never);
    expect(whole.rounds).toBe(5);
    expect(whole.draft).not.toEqual(emptyDraft);

    const { model, creates, server, release } = await offline(round);
    const responseIds = await attemptKilledIn(round, { model: model() });
    release();
    const second = model();
    const from = await resume({ model: second }, responseIds, never);
    const result = await runToolLoop({ model: second }, { ...job, input: "", from }, never);
    expect(made(result)).toEqual(made(whole));
    expect(creates()).toHaveLength(5);
    expect(server.requests().filter(({ path }) => path.endsWith("/cancel"))).toEqual([]);
  },
);

test("an attempt killed in a streamed round: that round is asked again, and no other", async () => {
  const { model, creates, release } = await offline(3);
  const responseIds = await attemptKilledIn(3, { model: model("streaming") });
  await eventuallyTrue("the model sees that nobody listens", () => creates().at(-1)?.aborted === true);
  release();
  const second = model("streaming");
  const from = await resume({ model: second }, responseIds, never);
  expect(from.next.kind).toBe("ask");
  const result = await runToolLoop({ model: second }, { ...job, input: "", from }, never);
  expect(result.rounds).toBe(5);
  expect(creates()).toHaveLength(6);
});

test("a run is resumed while its reads fail", async () => {
  const { model, creates, server, release } = await offline(3);
  const responseIds = await attemptKilledIn(3, { model: model() });
  release();
  const route = "GET /v1/responses/:id";
  server.faults.add({ route, times: 3, fault: { kind: "status", status: 503 } });
  server.faults.add({ route, probability: 0.3, fault: { kind: "reset", when: "after" } });
  const second = model();
  const from = await resume({ model: second }, responseIds, never);
  expect((await runToolLoop({ model: second }, { ...job, input: "", from }, never)).rounds).toBe(5);
  expect(creates()).toHaveLength(5);
});

test("a summary that an earlier attempt began is followed, and asked for once", async () => {
  const { model, creates, release } = await offline(1);
  const priorTextVerbatim = "We like green tea. ".repeat(50);
  const long = context({ priorNeedsSummarization: true, priorTextVerbatim });
  const controller = new AbortController();
  let responseId = "";
  const first = {
    ...summaryDeps(model()).deps,
    store: true,
    onStarted: async (id: string) => {
      responseId = id;
      setTimeout(() => controller.abort(new Error("killed")), 5);
    },
  };
  expect((await thrownBy(earlierContext(first, long, controller.signal))).message).toBe("killed");
  release();
  const second = { ...summaryDeps(model()).deps, store: true, resumeFrom: responseId };
  expect(await earlierContext(second, long, never)).toMatchObject({ summarized: "fresh" });
  expect(creates()).toHaveLength(1);
});
