import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RunnerError, toRunnerError } from "../../../lib/core/errors.ts";
import type { LoopStart } from "../../../lib/agent/conversation.ts";
import { resume } from "../../../lib/agent/resume.ts";
import { type RoundStart, runToolLoop } from "../../../lib/agent/tool-loop.ts";
import type { ScriptedModel, Step } from "../../support/scripted-model.ts";
import { calls, says, scriptedModel } from "../../support/scripted-model.ts";
import { noUsage } from "../../../lib/model/model.ts";
import { list } from "./loop-support.ts";
import { never } from "../model/support.ts";

type Move = (responseId: string) => Step;

const call = fc.oneof(
  fc.constantFrom("a", "b", "c", "d").map((id) => ["create_list", list(id)] as const),
  fc.constantFrom(
    ["create_list", "{broken"] as const,
    ["no_such_tool", {}] as const,
    ["create_file", { file: { name: "../escape.md", content: "x" } }] as const,
    ["create_file", { file: { name: "notes.md", content: "# Notes" } }] as const,
  ),
);

const working: fc.Arbitrary<Move> = fc
  .tuple(fc.array(call, { minLength: 1, maxLength: 3 }), fc.constantFrom("", "Working on it."))
  .map(([made, text]) => (responseId) => ({ ...calls(responseId, ...made), text }));

const faulty: fc.Arbitrary<Move> = fc.constantFrom<Move>(
  (responseId) => says("See {{artifact:list:z}}.", responseId),
  (responseId) => says("x".repeat(24_001), responseId),
  (responseId) => ({
    responseId,
    status: "completed",
    error: new RunnerError("model_empty", "neither text nor a tool call"),
  }),
);

/** Up to five rounds that work and up to three that fail, in any order, then a valid answer. */
const conversation: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.array(working, { maxLength: 5 }), fc.array(faulty, { maxLength: 3 }))
  .chain(([right, wrong]) =>
    fc.shuffledSubarray([...right, ...wrong], { minLength: right.length + wrong.length }),
  )
  .map((moves) => [...moves, (responseId: string) => says("Done.", responseId)])
  .map((moves) => moves.map((move, index) => move(`r${index + 1}`)));

/** The result of a run, or its error. */
type End = Readonly<Record<string, unknown>>;

interface Attempt {
  readonly from: LoopStart | undefined;
  /** Ids of the run's responses, as its row has them. */
  readonly ids: string[];
  readonly cutAt: number;
}

const killed = new Error("killed");

/** Runs one attempt, which is killed at its note number `cutAt`. */
async function attempt(model: ScriptedModel, { from, ids, cutAt }: Attempt): Promise<End | undefined> {
  let notes = 0;
  let usage = from?.usage ?? noUsage;
  const note = ({ responseId, number, ...round }: RoundStart): void => {
    ids.splice(number - 1, Number.POSITIVE_INFINITY, responseId ?? "");
    ({ usage } = round);
    notes += 1;
    if (notes === cutAt) throw killed;
  };
  const job = { model: "gpt-6-luna", input: from ? "" : "Go.", store: true, ...(from ? { from } : {}) };
  try {
    return { ...(await runToolLoop({ model, onStarted: note, onRound: note }, job, never)), usage };
  } catch (error) {
    if (error === killed) return undefined;
    const { code, message } = toRunnerError(error);
    return { code, message };
  }
}

/** Leaves out the function, which is equal only to itself. */
function comparable(end: End) {
  return "continueWith" in end ? { ...end, continueWith: undefined } : end;
}

/** Runs attempts until one is not killed. */
async function run(model: ScriptedModel, cuts: readonly number[]) {
  const ids: string[] = [];
  let from: LoopStart | undefined;
  for (const cutAt of [...cuts, Number.POSITIVE_INFINITY]) {
    const end = await attempt(model, { from, ids, cutAt });
    if (end !== undefined) return comparable(end);
    if (ids.length > 0) from = await resume({ model }, ids, never);
  }
  throw new Error("the last attempt was killed");
}

test("a run that is killed and resumed at any points ends as if it had never been killed", async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(conversation, cuts, async (steps, cutAts) => {
      const whole = scriptedModel(...steps);
      const broken = scriptedModel(...steps);
      expect(await run(broken, cutAts)).toEqual(await run(whole, []));
      expect(broken.requests).toEqual(whole.requests);
    }),
    { numRuns: 300 },
  );
});
