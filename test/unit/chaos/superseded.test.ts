import { expect, test } from "vitest";
import { postsOfSuperseded, postsWithoutProof } from "../../chaos/superseded.ts";
import { sentCalls, type Records } from "../../chaos/senders.ts";
import { attempt, entry, records, run, write } from "./fixture.ts";

const post = (at: number) => entry("/completeWorkspaceJob", at);
const made = write(0, { caller: "d1", isNew: true });

function judged(writes: Records["writes"], at: number, freezes: Records["freezes"] = []) {
  const journal = [post(at)];
  const runs = [run("running")];
  const all = records({ journal, writes: [made, ...writes], attempts: [attempt()], runs, freezes });
  const calls = sentCalls(all);
  return {
    superseded: postsOfSuperseded(all, calls).map(({ afterMs }) => afterMs),
    unproved: postsWithoutProof(all, calls).map(({ afterMs }) => afterMs),
  };
}

const newer = write(2_000, { caller: "d1", isNew: true, runId: "run-2" });
const closed = write(2_000, { state: "lost" });
const frozen = (environment: string) => [{ environment, fromMs: 1_500, toMs: 6_000 }];

test.each<[string, Records["writes"], number, number[], Records["freezes"]?]>([
  ["after the workspace's next run was created", [newer], 3_100, [1_100]],
  ["that crosses with the workspace's next run", [newer], 2_900, []],
  ["right after its process had been frozen meanwhile", [newer], 6_900, [], frozen("p1")],
  ["long after its process had been frozen meanwhile", [newer], 7_100, [5_100], frozen("p1")],
  ["after another process had been frozen", [newer], 6_900, [4_900], frozen("p2")],
  ["after the next attempt was created", [write(2_000, { caller: "d1", attempt: 2 })], 5_000, [3_000]],
  ["after another process finished the run", [{ ...closed, caller: "d1" }], 5_000, [3_000]],
  ["after its own process finished the run", [closed], 5_000, []],
  ["after an older run of the workspace was created", [{ ...newer, runId: "run-0" }], 5_000, []],
  ["after another workspace's run was created", [{ ...newer, workspaceId: "ws_2" }], 5_000, []],
])("a post %s is superseded or not", (_, writes, at, superseded, freezes) => {
  expect(judged(writes, at, freezes).superseded).toEqual(superseded);
});

test("a post needs a write of its own process that the run store accepted within half a lease before", () => {
  expect(judged([write(2_000)], 7_900).unproved).toEqual([]);
  expect(judged([write(2_000)], 8_100).unproved).toEqual([6_100]);
  expect(judged([write(2_000, { caller: "p2" })], 8_100).unproved).toEqual([8_100]);
});

test("a call belongs to the attempt that ran in its process at that time", () => {
  const attempts = [attempt(), attempt({ runId: "run-2", attempt: 3, fromMs: 4_000 })];
  const all = records({ journal: [post(3_999), post(4_000)], attempts });
  expect(sentCalls(all).map(({ runId }) => runId)).toEqual(["run-1", "run-2"]);
});
