import { describe, expect, test } from "vitest";
import { judge } from "../../chaos/outcome.ts";
import { busiestSeconds } from "../../chaos/pace.ts";
import type { CaseEnd } from "../../chaos/evidence.ts";
import { ended, evidence, poison, records, run } from "./fixture.ts";

const broken = (...cases: readonly CaseEnd[]): readonly string[] => judge(evidence(cases)).broken;

test("a chaos run in which every job completed once breaks no bound", () => {
  expect(broken(ended(), ended())).toEqual([]);
});

const wrongAnswer = "1 jobs with another job's answer, or none of their own";
const untrue = "1 jobs failed without a true reason";
const crash = { state: "failed", results: 0, failure: "The worker crashed.", brokenAttempts: 1 } as const;

test.each<[string, Partial<CaseEnd>, string]>([
  ["that is still leased at the end", { state: "leased", results: 0 }, "1 jobs lost"],
  ["with two results", { results: 2 }, "1 jobs completed twice"],
  ["with another job's answer", { markedFor: new Set(["case-2"]) }, wrongAnswer],
  ["with its own and another job's answer", { markedFor: new Set(["case-1", "case-2"]) }, wrongAnswer],
  ["with an answer for nobody", { markedFor: new Set() }, wrongAnswer],
  ["with another job's reason", { ...crash, markedFor: new Set(["case-2"]) }, wrongAnswer],
  ["with an unforeseen reason", { state: "failed", failure: "A defect of its own." }, untrue],
])("a job %s breaks a bound", (_, job, bound) => {
  expect(broken(ended(job))).toEqual([bound]);
});

const memory = "The worker ran out of memory and was killed (as happens when memory runs out) twice.";
const never = "The worker could not be started twice and stopped responding.";
const both = "The worker crashed and stopped responding.";
const model = "The model's provider is not available: 502";

test.each<[string, Partial<CaseEnd>, boolean]>([
  [memory, { kind: poison, brokenAttempts: 3 }, true],
  [memory, { kind: poison, brokenAttempts: 2 }, false],
  [never, { unstarted: 2, failedHeartbeats: 1 }, true],
  [never, { unstarted: 2, brokenAttempts: 1 }, true],
  [never, { unstarted: 1, failedHeartbeats: 1 }, false],
  [never, { unstarted: 2 }, false],
  [both, { brokenAttempts: 2 }, true],
  [both, { brokenAttempts: 1 }, false],
  [model, { modelFaults: 3 }, true],
  [model, { modelFaults: 2 }, false],
])("the reason “%s” is true only if as many faults hit its job: %j is %s", (failure, faults, isTrue) => {
  const found = broken(ended({ state: "failed", failure, results: 0, ...faults }));
  expect(found).toEqual(isTrue ? [] : [untrue]);
});

const [twice, uncounted] = [
  "1 runs counted more than once, or as another end",
  "1 runs finished and not counted",
];

test.each([
  [{ completed: 2, failed: 1, lost: 1 }, 0, []],
  [{ completed: 3, failed: 1, lost: 1 }, 0, [twice]],
  [{ completed: 2, failed: 0, lost: 2 }, 0, [twice, uncounted]],
  [{ completed: 2, failed: 1, lost: 0 }, 0, [uncounted]],
  [{ completed: 2, failed: 1, lost: 0 }, 1, []],
])("of 2 completed runs, 1 failed and 1 lost run, %j are counted and %i not countable: %j", (...row) => {
  const [counted, uncountable, bounds] = row;
  const runs = [run("completed"), run("completed"), run("failed"), run("lost")];
  const found = judge(evidence([ended()], { records: records({ runs }), counted, uncountable }));
  expect(found.broken).toEqual(bounds);
});

describe("the pace", () => {
  test("is that of the busiest second of each process, wherever it starts", () => {
    const at = (caller: string, ...times: readonly number[]) => times.map((time) => ({ caller, at: time }));
    const Studio = [...at("a", 0, 900, 1_000, 1_500, 1_800, 1_899), ...at("b", 0, 100), ...at("a", 2_900)];
    expect(busiestSeconds({ Studio })).toEqual([{ service: "Studio", caller: "a", calls: 5 }]);
  });

  test("breaks a bound in a hot loop, and when the pool is held back for more than 15 minutes", () => {
    const Studio = Array.from({ length: 41 }, (_, at) => ({ caller: "p1", at }));
    expect(judge(evidence([ended()], { paced: { Studio } })).broken).toEqual([
      "1 processes that called a service too often within a second",
    ]);
    expect(judge(evidence([ended()], { longestHoldMs: 960_000 })).broken).toEqual([
      "1 times the pool was to hold back too long",
    ]);
  });
});

const asked = (first: number) => new Map(Object.entries({ one: first, two: 1, three: 1 }));

test.each<[Partial<CaseEnd>, boolean]>([
  [{ asked: asked(2) }, false],
  [{ asked: asked(2), brokenAttempts: 1 }, true],
  [{ asked: asked(2), isTaken: true, takenRounds: 1 }, true],
  [{ asked: asked(2), crossedRounds: 1 }, true],
  [{ asked: asked(3), brokenAttempts: 1 }, false],
  [{ asked: asked(3), brokenAttempts: 1, takenRounds: 1 }, true],
])("a round may be asked again only after a fault that explains it (%#)", (job, isExplained) => {
  const bound = "1 jobs asked again although no attempt of theirs had broken";
  expect(broken(ended(job))).toEqual(isExplained ? [] : [bound]);
});

test("in a large chaos run, no more than 1.02 times the needed rounds may be asked", () => {
  const jobs = (repeated: number) =>
    Array.from({ length: 300 }, (_, at) =>
      ended(at < repeated ? { asked: asked(2), brokenAttempts: 1 } : {}),
    );
  expect(broken(...jobs(18))).toEqual([]);
  expect(broken(...jobs(19))).toEqual(["1 times more than 1.02 of the needed rounds were asked"]);
});
