import { expect, test } from "vitest";
import type { JournalEntry } from "../../../local/studio/journal.ts";
import { postsAfterLoss } from "../../chaos/posts.ts";

const leaseMs = 10_000;
const workspaceId = "ws_1";

const entry = (path: string, at: number, status: number, answeredAt = at): JournalEntry => ({
  path,
  at,
  status,
  answeredAt,
  workspaceId,
});
const lease = entry("/leaseWorkspaceJob", 0, 200);
const found = (...entries: readonly JournalEntry[]) =>
  postsAfterLoss([lease, ...entries], leaseMs).map(({ path, known }) => `${path} ${known}`);

test("a post after an answer that told of the loss is found", () => {
  expect(
    found(entry("/heartbeatWorkspaceJob", 2_000, 409), entry("/completeWorkspaceJob", 2_501, 409)),
  ).toEqual(["/completeWorkspaceJob by an answer"]);
});

test("a post after the last granted lease has run out is found", () => {
  const heartbeat = entry("/heartbeatWorkspaceJob", 3_000, 200);
  expect(found(heartbeat, entry("/failWorkspaceJob", 14_501, 410))).toEqual([
    "/failWorkspaceJob by the lease's own end",
  ]);
});

test("a lease that Studio gave for a shorter time runs out sooner", () => {
  const short = { ...entry("/heartbeatWorkspaceJob", 3_000, 200), leaseMs: 5_000 };
  expect(found(short, entry("/failWorkspaceJob", 9_400, 410))).toEqual([]);
  expect(found(short, entry("/failWorkspaceJob", 9_501, 410))).toEqual([
    "/failWorkspaceJob by the lease's own end",
  ]);
});

test("a post that learns of the loss by its own answer is none", () => {
  expect(found(entry("/completeWorkspaceJob", 5_000, 409))).toEqual([]);
});

test("a post on its way while the loss is told is none, and neither is one before a late answer", () => {
  expect(
    found(entry("/heartbeatWorkspaceJob", 2_000, 409), entry("/completeWorkspaceJob", 2_400, 409)),
  ).toEqual([]);
  const slow = entry("/completeWorkspaceJob", 2_000, 409, 4_000);
  expect(found(slow, entry("/completeWorkspaceJob", 3_500, 200))).toEqual([]);
});

test("a new lease of the same workspace begins anew", () => {
  expect(
    found(
      entry("/heartbeatWorkspaceJob", 2_000, 409),
      entry("/leaseWorkspaceJob", 9_000, 200),
      entry("/completeWorkspaceJob", 9_900, 200),
    ),
  ).toEqual([]);
});

test("what another key hears about its own lease of the workspace is no news to this one", () => {
  const other = { ...entry("/heartbeatWorkspaceJob", 2_000, 409), credentialId: "other" };
  expect(found(other, entry("/completeWorkspaceJob", 5_000, 200))).toEqual([]);
});

test("a lease that Studio granted late begins when it was granted, not when it was asked for", () => {
  const asked = { ...entry("/leaseWorkspaceJob", 1_500, 200, 4_000), doneAt: 3_500 };
  const lost = entry("/heartbeatWorkspaceJob", 2_000, 409);
  expect(found(asked, lost, entry("/completeWorkspaceJob", 4_500, 200))).toEqual([]);
  const much = entry("/completeWorkspaceJob", 3_500 + leaseMs + 1_501, 200);
  expect(found(asked, lost, much)).toEqual(["/completeWorkspaceJob by the lease's own end"]);
});
