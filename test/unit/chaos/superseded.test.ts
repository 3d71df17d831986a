import { expect, test } from "vitest";
import { postsOfSuperseded, postsWithoutProof } from "../../chaos/superseded.ts";
import { sentCalls, type Records } from "../../chaos/senders.ts";
import { attempt, entry, records, run, write } from "./fixture.ts";

const post = (at: number) => entry("/completeWorkspaceJob", at);
const found = (writes: Records["writes"], ...journal: Records["journal"]) => {
  const all = records({ journal, writes, attempts: [attempt()], runs: [run("running")] });
  const calls = sentCalls(all);
  return {
    superseded: postsOfSuperseded(all, calls).map(({ afterMs }) => afterMs),
    unproved: postsWithoutProof(all, calls).map(({ afterMs }) => afterMs),
  };
};
const made = write(0, { caller: "d1", isNew: true });

test("a post after the workspace's next run was created is found, but not one that crosses with it", () => {
  const newer = write(2_000, { caller: "d1", isNew: true, runId: "run-2" });
  expect(found([made, newer], post(2_900)).superseded).toEqual([]);
  expect(found([made, newer], post(3_100)).superseded).toEqual([1_100]);
});

test("a process that was frozen when its run was superseded learns of it only after it continues", () => {
  const newer = write(2_000, { caller: "d1", isNew: true, runId: "run-2" });
  const look = (at: number, environment: string) => {
    const freezes = [{ environment, fromMs: 1_500, toMs: 6_000 }];
    const all = records({
      journal: [post(at)],
      writes: [made, newer],
      attempts: [attempt()],
      runs: [run("running")],
      freezes,
    });
    return postsOfSuperseded(all, sentCalls(all)).map(({ afterMs }) => afterMs);
  };
  expect(look(6_900, "p1")).toEqual([]);
  expect(look(7_100, "p1")).toEqual([5_100]);
  expect(look(6_900, "p2")).toEqual([4_900]);
});

test("a post after the next attempt was created is found", () => {
  expect(found([made, write(2_000, { caller: "d1", attempt: 2 })], post(5_000)).superseded).toEqual([3_000]);
});

test("a post after another process finished the run is found, but not one after its own process did", () => {
  const closed = write(2_000, { state: "lost" });
  expect(found([made, closed], post(5_000)).superseded).toEqual([]);
  expect(found([made, { ...closed, caller: "d1" }], post(5_000)).superseded).toEqual([3_000]);
});

test("an older run of the workspace, or a run of another one, supersedes no run", () => {
  const older = write(2_000, { caller: "d1", isNew: true, runId: "run-0" });
  const other = write(2_000, { caller: "d1", isNew: true, runId: "run-2", workspaceId: "ws_2" });
  expect(found([made, older, other], post(5_000)).superseded).toEqual([]);
});

test("a post needs a write of its own process that the run store accepted within half a lease before", () => {
  expect(found([made, write(2_000)], post(7_900)).unproved).toEqual([]);
  expect(found([made, write(2_000)], post(8_100)).unproved).toEqual([6_100]);
  expect(found([made, write(2_000, { caller: "p2" })], post(8_100)).unproved).toEqual([8_100]);
});

test("a call belongs to the attempt that ran in its process at that time", () => {
  const attempts = [attempt(), attempt({ runId: "run-2", attempt: 3, fromMs: 4_000 })];
  const all = records({ journal: [post(3_999), post(4_000)], attempts });
  expect(sentCalls(all).map(({ runId, attempt: one }) => `${runId} ${one?.attempt}`)).toEqual([
    "run-1 1",
    "run-2 3",
  ]);
});
