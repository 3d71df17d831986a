import { describe, expect, test } from "vitest";
import { disagreements, givenUp } from "../../chaos/agreement.ts";
import { leasesOfRuns, sentCalls, type Records } from "../../chaos/senders.ts";
import type { RunRow } from "../../chaos/stage.ts";
import { attempt, entry, records, run, write } from "./fixture.ts";

const lease = entry("/leaseWorkspaceJob", 0, { caller: "d1", jobId: 1, lease: 1, leaseMs: 10_000 });
const made = write(10, { caller: "d1", isNew: true });
const complete = (more = {}) => entry("/completeWorkspaceJob", 1_000, { jobId: 1, lease: 1, ...more });
const fail = (more = {}) => entry("/failWorkspaceJob", 1_000, { jobId: 1, lease: 1, ...more });
const refused = { status: 409, jobId: undefined, lease: undefined };
const lost = { status: 0, answeredAt: undefined };

function look(own: RunRow, journal: Records["journal"], more: Partial<Records> = {}) {
  const all = records({
    journal: [lease, ...journal],
    runs: [own],
    writes: [made],
    attempts: [attempt()],
    ...more,
  });
  return { all, found: { calls: sentCalls(all), ownLeases: leasesOfRuns(all) } };
}

function problem(own: RunRow, ...journal: Records["journal"]): string | undefined {
  const { all, found } = look(own, journal);
  return disagreements(all, found)[0]?.but;
}

describe("a run's outcome", () => {
  test("may be completed, ok, only after a completion that Studio confirmed", () => {
    const ok = run("completed", { reason: "ok" });
    expect(problem(ok, complete())).toBeUndefined();
    expect(problem(ok, complete(lost))).toBe("Studio confirmed no completion");
    expect(problem(ok, complete(refused))).toBe("Studio confirmed no completion");
  });

  test("may be completed, unconfirmed, only after a completion that was sent and not answered", () => {
    const unconfirmed = run("completed", { reason: "unconfirmed" });
    expect(problem(unconfirmed, complete(lost))).toBeUndefined();
    expect(problem(unconfirmed, complete({ ...lost, jobId: undefined }))).toBeUndefined();
    expect(problem(unconfirmed)).toBe("no completion was sent");
    expect(problem(unconfirmed, complete(refused))).toBe("no completion was sent");
  });

  test("may be failed only after a failure report that Studio took or did not answer", () => {
    expect(problem(run("failed"), fail())).toBeUndefined();
    expect(problem(run("failed"), fail(lost))).toBeUndefined();
    expect(problem(run("failed"), fail(refused))).toBe("Studio was told of no failure");
    expect(problem(run("failed"), complete())).toBe("Studio took a completion");
  });

  test("may be lost only when Studio took nothing, or unconfirmed when its answer was lost", () => {
    expect(problem(run("lost"), complete(refused))).toBeUndefined();
    expect(problem(run("lost"), complete(lost))).toBe("Studio took its /completeWorkspaceJob");
    expect(problem(run("lost", { unconfirmed: true }), complete(lost))).toBeUndefined();
    expect(problem(run("lost", { unconfirmed: true }), complete())).toBe(
      "Studio took its /completeWorkspaceJob",
    );
  });

  test("may be lost, unconfirmed, after a post that Studio took, if its process was killed or frozen before recording it", () => {
    const unconfirmed = run("lost", { unconfirmed: true });
    const killed = look(unconfirmed, [complete()], { attempts: [attempt({ isBroken: true })] });
    expect(disagreements(killed.all, killed.found)).toEqual([]);
    const freezes = [{ environment: attempt().environment, fromMs: 1_001, toMs: 9_000 }];
    const frozen = look(unconfirmed, [complete()], { freezes });
    expect(disagreements(frozen.all, frozen.found)).toEqual([]);
    const ended = run("lost", { unconfirmed: true, endedAtMs: 1_500 });
    const later = [{ environment: attempt().environment, fromMs: 2_000, toMs: 9_000 }];
    const frozenLater = look(ended, [complete()], { freezes: later });
    expect(disagreements(frozenLater.all, frozenLater.found)).toHaveLength(1);
  });

  test("may be failed, unconfirmed, if a report was noted and a newer run owns the workspace", () => {
    const reporting = { reason: "killed", explanation: "The worker was killed." };
    const unconfirmed = run("failed", { unconfirmed: true, reporting });
    const newer = run("completed", { runId: "run-2", reason: "unconfirmed", delivering: true });
    const found = (...runs: RunRow[]) => {
      const all = records({ journal: [lease], runs, writes: [made] });
      return disagreements(all, { calls: sentCalls(all), ownLeases: leasesOfRuns(all) });
    };
    expect(found(unconfirmed, newer).map(({ runId }) => runId)).not.toContain("run-1");
    expect(found(unconfirmed)).toMatchObject([{ runId: "run-1", but: "Studio was told of no failure" }]);
    expect(found(run("failed", { unconfirmed: true }), newer)).toMatchObject([{ runId: "run-1" }, {}]);
  });

  test("may not come with a post that Studio took for another job", () => {
    const ok = run("completed", { reason: "ok" });
    expect(problem(ok, complete(lost), complete({ at: 2_000, jobId: 2 }))).toBe(
      "its /completeWorkspaceJob was taken for job 2, and its own is 1",
    );
  });

  test("may rest on a post of the dispatcher that wrote the run's row last", () => {
    const journal = [fail({ caller: "d1" })];
    const { all, found } = look(run("failed"), journal, { attempts: [] });
    expect(found.calls).toMatchObject([{ runId: "run-1" }]);
    expect(disagreements(all, found)).toEqual([]);
  });
});

test("a run belongs to the newest lease that its dispatcher had received before it created the run", () => {
  const second = { ...lease, at: 20, answeredAt: 20, jobId: 2 };
  const other = { ...lease, at: 5, answeredAt: 5, caller: "d2", lease: 2 };
  const runs = [run("lost"), run("lost", { runId: "run-2" })];
  const writes = [made, write(30, { runId: "run-2", caller: "d1", isNew: true })];
  const own = leasesOfRuns(records({ journal: [lease, other, second], runs, writes }));
  expect([...own]).toEqual([
    ["run-1", { jobId: 1, lease: 1 }],
    ["run-2", { jobId: 2, lease: 1 }],
  ]);
});

describe("a lease that the runner gave up", () => {
  const own = run("lost", { reason: "lease_lost", endedAtMs: 6_000 });
  const held = {
    workspaceId: "ws_1",
    jobId: 1,
    lease: 1,
    credentialId: "key",
    fromMs: 0,
    untilMs: 15_000,
    end: "expired" as const,
  };
  const heartbeat = entry("/heartbeatWorkspaceJob", 5_000, { jobId: 1, lease: 1, leaseMs: 10_000 });
  const closed = write(6_000, { state: "lost" });
  const found = (journal: Records["journal"], record: object = {}, closer = closed) => {
    const { all, found: at } = look(own, journal, { writes: [made, closer] });
    return givenUp(all, at, [{ ...held, ...record }]).map(({ but }) => but);
  };

  test("is reported when Studio still held it and had said so", () => {
    expect(found([heartbeat])).toEqual(["Studio held the lease for 9 s more"]);
  });

  test("is not reported when Studio had said that it is gone, or had taken it away", () => {
    expect(found([heartbeat, entry("/heartbeatWorkspaceJob", 5_500, refused)])).toEqual([]);
    expect(found([heartbeat], { untilMs: 5_500, end: "stolen" })).toEqual([]);
  });

  test("is not reported when another process ended the run, or when it had expired without answered heartbeats", () => {
    expect(found([heartbeat], {}, { ...closed, caller: "d1" })).toEqual([]);
    const unheard = entry("/heartbeatWorkspaceJob", 5_000, { ...heartbeat, ...lost });
    expect(found([unheard])).toEqual(["Studio held the lease for 4 s more"]);
    const later = run("lost", { reason: "lease_lost", endedAtMs: 9_000 });
    const { all, found: at } = look(later, [unheard], { writes: [made, { ...closed, atMs: 9_000 }] });
    expect(givenUp(all, at, [held])).toEqual([]);
  });

  test("is not reported when only another process had its heartbeats answered", () => {
    const short = { ...lease, at: 5, lease: 2, leaseMs: 50 };
    const others = { ...heartbeat, at: 4_000, doneAt: 4_000, answeredAt: 4_100, lease: 2, caller: "d2" };
    expect(found([short, others], { lease: 2 })).toEqual([]);
  });

  test("is not reported when the last answer came too late to be read", () => {
    const short = { ...lease, at: 5, lease: 2, leaseMs: 50 };
    const late = { ...heartbeat, at: 4_000, doneAt: 4_000, lease: 2 };
    expect(found([short, { ...late, answeredAt: 4_900 }], { lease: 2 })).toEqual([
      "Studio held the lease for 8 s more",
    ]);
    expect(found([short, { ...late, answeredAt: 5_990 }], { lease: 2 })).toEqual([]);
  });
});
