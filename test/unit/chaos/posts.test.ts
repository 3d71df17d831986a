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

test("a post after an answer that the lease is lost is found", () => {
  expect(
    found(entry("/heartbeatWorkspaceJob", 2_000, 409), entry("/completeWorkspaceJob", 2_501, 409)),
  ).toEqual(["/completeWorkspaceJob by an answer"]);
});

test("a post after the last granted lease has expired is found", () => {
  const heartbeat = entry("/heartbeatWorkspaceJob", 3_000, 200);
  expect(found(heartbeat, entry("/failWorkspaceJob", 14_501, 410))).toEqual([
    "/failWorkspaceJob by the lease's own end",
  ]);
});

test("a lease that Studio granted for a shorter time expires sooner", () => {
  const short = { ...entry("/heartbeatWorkspaceJob", 3_000, 200), leaseMs: 5_000 };
  expect(found(short, entry("/failWorkspaceJob", 9_400, 410))).toEqual([]);
  expect(found(short, entry("/failWorkspaceJob", 9_501, 410))).toEqual([
    "/failWorkspaceJob by the lease's own end",
  ]);
});

test("a post whose own answer says that the lease is lost is not counted", () => {
  expect(found(entry("/completeWorkspaceJob", 5_000, 409))).toEqual([]);
});

test("a post that crosses with the answer about the loss, or comes before a late answer, is not counted", () => {
  expect(
    found(entry("/heartbeatWorkspaceJob", 2_000, 409), entry("/completeWorkspaceJob", 2_400, 409)),
  ).toEqual([]);
  const slow = entry("/completeWorkspaceJob", 2_000, 409, 4_000);
  expect(found(slow, entry("/completeWorkspaceJob", 3_500, 200))).toEqual([]);
});

test("a new lease of the same workspace allows posts again", () => {
  expect(
    found(
      entry("/heartbeatWorkspaceJob", 2_000, 409),
      entry("/leaseWorkspaceJob", 9_000, 200),
      entry("/completeWorkspaceJob", 9_900, 200),
    ),
  ).toEqual([]);
});

test("an answer to another key about its own lease of the workspace is ignored", () => {
  const other = { ...entry("/heartbeatWorkspaceJob", 2_000, 409), credentialId: "other" };
  expect(found(other, entry("/completeWorkspaceJob", 5_000, 200))).toEqual([]);
});

test("a lease that Studio granted late starts when it was granted, not when it was requested", () => {
  const asked = { ...entry("/leaseWorkspaceJob", 1_500, 200, 4_000), doneAt: 3_500 };
  const lost = entry("/heartbeatWorkspaceJob", 2_000, 409);
  expect(found(asked, lost, entry("/completeWorkspaceJob", 4_500, 200))).toEqual([]);
  const much = entry("/completeWorkspaceJob", 3_500 + leaseMs + 1_501, 200);
  expect(found(asked, lost, much)).toEqual(["/completeWorkspaceJob by the lease's own end"]);
});
