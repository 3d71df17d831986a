import { expect, test } from "vitest";
import type { JournalEntry } from "../../../local/studio/journal.ts";
import { postsAfterLoss } from "../../chaos/posts.ts";
import { entry } from "./fixture.ts";

const lease = (at = 0, more: object = {}) => entry("/leaseWorkspaceJob", at, more);
const heartbeat = (at: number, more: object = {}) => entry("/heartbeatWorkspaceJob", at, more);
const lost = { status: 409 };
const complete = (at: number, more: object = {}) => entry("/completeWorkspaceJob", at, more);
const grantedLate = { answeredAt: 4_000, doneAt: 3_500 };

test.each<[string, readonly JournalEntry[], string[]]>([
  ["after an answer that the lease is lost", [heartbeat(2_000, lost), complete(2_501)], ["by an answer"]],
  ["that crosses with this answer", [heartbeat(2_000, lost), complete(2_400)], []],
  ["that comes before a late answer", [complete(2_000, { ...lost, answeredAt: 4_000 }), complete(3_500)], []],
  ["whose own answer says so", [complete(5_000, lost)], []],
  [
    "after the last granted lease has expired",
    [heartbeat(3_000), complete(14_501)],
    ["by the lease's own end"],
  ],
  ["while a shorter lease is live", [heartbeat(3_000, { leaseMs: 5_000 }), complete(9_400)], []],
  [
    "after a shorter lease has expired",
    [heartbeat(3_000, { leaseMs: 5_000 }), complete(9_501)],
    ["by the lease's own end"],
  ],
  ["under a new lease of the workspace", [heartbeat(2_000, lost), lease(9_000), complete(9_900)], []],
  [
    "after another key lost its lease",
    [heartbeat(2_000, { ...lost, credentialId: "other" }), complete(5_000)],
    [],
  ],
  [
    "under a lease that was granted late",
    [lease(1_500, grantedLate), heartbeat(2_000, lost), complete(4_500)],
    [],
  ],
  [
    "after a lease that was granted late has expired",
    [lease(1_500, grantedLate), heartbeat(2_000, lost), complete(15_001)],
    ["by the lease's own end"],
  ],
])("a post %s is judged by what its sender could know", (_, entries, known) => {
  const found = postsAfterLoss([lease(), ...entries], 10_000);
  expect(found.map((post) => post.known)).toEqual(known);
});
