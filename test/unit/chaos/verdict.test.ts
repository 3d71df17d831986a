import { expect, test } from "vitest";
import { jobKinds } from "../../chaos/jobs.ts";
import type { Run } from "../../../lib/ledger/run.ts";
import { judge, type CaseEnd, type Evidence } from "../../chaos/verdict.ts";

const kind = jobKinds[1]!;
const poison = jobKinds.find(({ isPoison }) => isPoison)!;

function ended(
  more: Partial<Omit<CaseEnd, "summary">> & { readonly state?: string; readonly failure?: string } = {},
): CaseEnd {
  const { state = "completed", failure = null, ...rest } = more;
  return {
    tag: "case-1",
    kind,
    workspaceId: "ws_1",
    summary: { workspaceId: "ws_1", state, failure, leases: 1 } as CaseEnd["summary"],
    results: 1,
    asked: new Map([
      ["round 1", 1],
      ["round 2", 1],
      ["round 3", 1],
    ]),
    brokenLegs: 0,
    lostRounds: 0,
    unstarted: 0,
    failedBeats: 0,
    isTaken: false,
    ...rest,
  };
}

const evidence = (cases: readonly CaseEnd[], more: Partial<Evidence> = {}): Evidence => ({
  cases,
  roundsOfKind: new Map([
    [kind.name, 3],
    [poison.name, 3],
  ]),
  journal: [],
  runs: [],
  leaseMs: 10_000,
  hit: { ledger: true, secrets: true },
  modelFaultsAtMs: [],
  counted: { completed: 0, failed: 0, lost: 0 },
  killedAtClose: 0,
  ...more,
});

function run(state: string, more: Partial<Run> = {}): Run {
  return { workspaceId: "ws_1", state, reason: "other", leasedAtMs: 0, ...more } as Run;
}

const broken = (...cases: readonly CaseEnd[]): readonly string[] => judge(evidence(cases)).broken;

test("a run in which every job completed once breaks nothing", () => {
  expect(broken(ended(), ended())).toEqual([]);
});

test("a job that is still leased at the end is lost", () => {
  expect(broken(ended({ state: "leased", results: 0 }))).toEqual(["1 jobs lost"]);
});

test("a job with two results was completed twice", () => {
  expect(broken(ended({ results: 2 }))).toEqual(["1 jobs completed twice"]);
});

test("a worker's failure is true when Lambda saw as many broken invocations as it names", () => {
  const failure = "The worker ran out of memory and was killed (as happens when memory runs out) twice.";
  const job = { kind: poison, state: "failed", failure, results: 0 };
  expect(broken(ended({ ...job, brokenLegs: 3 }))).toEqual([]);
  expect(broken(ended({ ...job, brokenLegs: 2 }))).toEqual([
    `case-1 (poison) failed without a true reason: ${failure}`,
  ]);
});

test("a leg could not be started, or fell silent, only where that was done to its run", () => {
  const never = {
    state: "failed",
    failure: "The worker could not be started twice and fell silent.",
    results: 0,
  };
  expect(broken(ended({ ...never, unstarted: 2, failedBeats: 1 }))).toEqual([]);
  expect(broken(ended({ ...never, unstarted: 2, brokenLegs: 1 }))).toEqual([]);
  expect(broken(ended({ ...never, unstarted: 1, failedBeats: 1 }))).toHaveLength(1);
  expect(broken(ended({ ...never, unstarted: 2 }))).toHaveLength(1);
  const both = { ...never, failure: "The worker crashed and fell silent." };
  expect(broken(ended({ ...both, brokenLegs: 1 }))).toHaveLength(1);
  expect(broken(ended({ ...both, brokenLegs: 2 }))).toEqual([]);
});

test("the model was not available only where it failed while the job's own run was at work", () => {
  const job = ended({ state: "failed", failure: "The model's provider is not available: 502", results: 0 });
  const runs = [run("failed", { leasedAtMs: 1_000, endedAtMs: 2_000 })];
  const counted = { completed: 0, failed: 1, lost: 0 };
  const judged = (...modelFaultsAtMs: readonly number[]) =>
    judge(evidence([job], { runs, counted, modelFaultsAtMs })).broken;
  expect(judged(1_500)).toEqual([]);
  expect(judged(999, 2_001)).toHaveLength(1);
});

test("each closed run is counted once, as what it ended", () => {
  const runs = [run("completed"), run("completed"), run("failed"), run("lost")];
  const judged = (completed: number, failed: number, lost: number, killedAtClose = 0) =>
    judge(evidence([ended()], { runs, counted: { completed, failed, lost }, killedAtClose })).broken;
  expect(judged(2, 1, 1)).toEqual([]);
  expect(judged(3, 1, 1)).toEqual(["1 runs counted more than once, or as another end"]);
  expect(judged(2, 0, 2)).toEqual([
    "1 runs counted more than once, or as another end",
    "1 runs closed and not counted",
  ]);
  expect(judged(2, 1, 0)).toEqual(["1 runs closed and not counted"]);
  expect(judged(2, 1, 0, 1)).toEqual([]);
});

test("a reason that nobody foresaw is not taken for true", () => {
  expect(
    broken(ended({ state: "failed", failure: "The runner failed because of a defect of its own." })),
  ).toHaveLength(1);
});

const twice = new Map([
  ["round 1", 2],
  ["round 2", 1],
  ["round 3", 1],
]);

test("a round is asked again only where a leg broke, or where the lease was taken away", () => {
  expect(broken(ended({ asked: twice }))).toEqual([
    "1 jobs asked again although no leg of theirs had broken",
  ]);
  expect(broken(ended({ asked: twice, brokenLegs: 1 }))).toEqual([]);
  expect(broken(ended({ asked: twice, isTaken: true }))).toEqual([]);
  const thrice = new Map([["round 1", 3]]);
  expect(broken(ended({ asked: thrice, brokenLegs: 1 }))).toHaveLength(1);
  expect(broken(ended({ asked: thrice, brokenLegs: 1, lostRounds: 1 }))).toEqual([]);
});

test("rounds asked again break the bound of 1.02, from 250 jobs on", () => {
  const jobs = (repeated: number) =>
    Array.from({ length: 300 }, (_, at) => ended(at < repeated ? { asked: twice, brokenLegs: 1 } : {}));
  expect(broken(...jobs(18))).toEqual([]);
  expect(broken(...jobs(19))).toEqual([
    "919 rounds were asked of the model, 900 were needed: more than 1.02 times",
  ]);
});
