import { expect, test } from "vitest";
import { judge } from "../../chaos/outcome.ts";
import type { CaseEnd } from "../../chaos/evidence.ts";
import { ended, evidence, poison, records, run } from "./fixture.ts";

const broken = (...cases: readonly CaseEnd[]): readonly string[] => judge(evidence(cases)).broken;

test("a chaos run in which every job completed once breaks no promise", () => {
  expect(broken(ended(), ended())).toEqual([]);
});

test("a job that is still leased at the end is lost", () => {
  expect(broken(ended({ state: "leased", results: 0 }))).toEqual(["1 jobs lost"]);
});

test("a job with two results was completed twice", () => {
  expect(broken(ended({ results: 2 }))).toEqual(["1 jobs completed twice"]);
});

test("a worker's failure is true only when Lambda saw as many broken invocations as it names", () => {
  const failure = "The worker ran out of memory and was killed (as happens when memory runs out) twice.";
  const job = { kind: poison, state: "failed", failure, results: 0 } as const;
  expect(broken(ended({ ...job, brokenAttempts: 3 }))).toEqual([]);
  expect(broken(ended({ ...job, brokenAttempts: 2 }))).toEqual([
    `case-1 (poison) failed without a true reason: ${failure}`,
  ]);
});

test("a reason that an attempt could not be started or fell silent is true only when faults hit its run", () => {
  const never = {
    state: "failed",
    failure: "The worker could not be started twice and fell silent.",
    results: 0,
  } as const;
  expect(broken(ended({ ...never, unstarted: 2, failedHeartbeats: 1 }))).toEqual([]);
  expect(broken(ended({ ...never, unstarted: 2, brokenAttempts: 1 }))).toEqual([]);
  expect(broken(ended({ ...never, unstarted: 1, failedHeartbeats: 1 }))).toHaveLength(1);
  expect(broken(ended({ ...never, unstarted: 2 }))).toHaveLength(1);
  const both = { ...never, failure: "The worker crashed and fell silent." } as const;
  expect(broken(ended({ ...both, brokenAttempts: 1 }))).toHaveLength(1);
  expect(broken(ended({ ...both, brokenAttempts: 2 }))).toEqual([]);
});

test("a reason that the model was not available is true only after three model faults", () => {
  const failure = "The model's provider is not available: 502";
  const job = { state: "failed", failure, results: 0 } as const;
  expect(broken(ended({ ...job, modelFaults: 3 }))).toEqual([]);
  expect(broken(ended({ ...job, modelFaults: 2 }))).toHaveLength(1);
});

test("each finished run must be counted once, under its outcome", () => {
  const runs = [run("completed"), run("completed"), run("failed"), run("lost")];
  const judged = (completed: number, failed: number, lost: number, uncountable = 0) =>
    judge(
      evidence([ended()], {
        records: records({ runs }),
        counted: { completed, failed, lost },
        uncountable,
      }),
    ).broken;
  expect(judged(2, 1, 1)).toEqual([]);
  expect(judged(3, 1, 1)).toEqual(["1 runs counted more than once, or as another end"]);
  expect(judged(2, 0, 2)).toEqual([
    "1 runs counted more than once, or as another end",
    "1 runs closed and not counted",
  ]);
  expect(judged(2, 1, 0)).toEqual(["1 runs closed and not counted"]);
  expect(judged(2, 1, 0, 1)).toEqual([]);
});

test("an unforeseen reason is not accepted as true", () => {
  expect(
    broken(ended({ state: "failed", failure: "The runner failed because of a defect of its own." })),
  ).toHaveLength(1);
});

test("an answer is wrong when it is another job's or names no job", () => {
  const wrong = "1 jobs with another job's answer, or none of their own";
  expect(broken(ended({ markedFor: new Set(["case-2"]) }))).toEqual([wrong]);
  expect(broken(ended({ markedFor: new Set(["case-1", "case-2"]) }))).toEqual([wrong]);
  expect(broken(ended({ markedFor: new Set() }))).toEqual([wrong]);
  const reason = { state: "failed", results: 0, failure: "The worker crashed.", brokenAttempts: 1 } as const;
  expect(broken(ended(reason))).toEqual([]);
  expect(broken(ended({ ...reason, markedFor: new Set(["case-2"]) }))).toEqual([wrong]);
});

test("a process that calls in a hot loop and a pool that is held back too long are reported", () => {
  const Studio = Array.from({ length: 41 }, (_, at) => ({ caller: "p1", at }));
  expect(judge(evidence([ended()], { paced: { Studio } })).broken).toEqual([
    "p1 called Studio 41 times within a second",
  ]);
  expect(judge(evidence([ended()], { longestHoldMs: 960_000 })).broken).toEqual([
    "the pool was to hold back for 16 minutes",
  ]);
});

const twice = new Map([
  ["round 1", 2],
  ["round 2", 1],
  ["round 3", 1],
]);

test("a round may be asked again only after a broken attempt, a taken lease or a crossed round", () => {
  expect(broken(ended({ asked: twice }))).toEqual([
    "1 jobs asked again although no attempt of theirs had broken",
  ]);
  expect(broken(ended({ asked: twice, brokenAttempts: 1 }))).toEqual([]);
  expect(broken(ended({ asked: twice, isTaken: true, takenRounds: 1 }))).toEqual([]);
  expect(broken(ended({ asked: twice, crossedRounds: 1 }))).toEqual([]);
  const thrice = new Map([["round 1", 3]]);
  expect(broken(ended({ asked: thrice, brokenAttempts: 1 }))).toHaveLength(1);
  expect(broken(ended({ asked: thrice, brokenAttempts: 1, takenRounds: 1 }))).toEqual([]);
});

test("in a large chaos run, no more than 1.02 times the needed rounds may be asked", () => {
  const jobs = (repeated: number) =>
    Array.from({ length: 300 }, (_, at) => ended(at < repeated ? { asked: twice, brokenAttempts: 1 } : {}));
  expect(broken(...jobs(18))).toEqual([]);
  expect(broken(...jobs(19))).toEqual([
    "919 rounds were asked of the model, 900 were needed: more than 1.02 times",
  ]);
});
