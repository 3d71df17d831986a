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

describe("a run's outcome", () => {
  const ok = run("completed", { reason: "ok" });
  const unconfirmed = run("completed", { reason: "unconfirmed" });
  const tookComplete = "Studio took its /completeWorkspaceJob";

  test.each<[string, RunRow, Records["journal"], string | undefined]>([
    ["completed: Studio confirmed", ok, [complete()], undefined],
    ["completed: no answer", ok, [complete(lost)], "Studio confirmed no completion"],
    ["completed: Studio refused", ok, [complete(refused)], "Studio confirmed no completion"],
    ["completed, unconfirmed: no answer", unconfirmed, [complete(lost)], undefined],
    [
      "completed, unconfirmed: no answer and no effect",
      unconfirmed,
      [complete({ ...lost, jobId: undefined })],
      undefined,
    ],
    ["completed, unconfirmed: nothing sent", unconfirmed, [], "no completion was sent"],
    ["completed, unconfirmed: Studio refused", unconfirmed, [complete(refused)], "no completion was sent"],
    ["failed: Studio took the report", run("failed"), [fail()], undefined],
    ["failed: the report was not answered", run("failed"), [fail(lost)], undefined],
    ["failed: Studio refused", run("failed"), [fail(refused)], "Studio was told of no failure"],
    ["failed: Studio took a completion", run("failed"), [complete()], "Studio took a completion"],
    ["lost: Studio refused", run("lost"), [complete(refused)], undefined],
    ["lost: Studio took a completion", run("lost"), [complete(lost)], tookComplete],
    ["lost, unconfirmed: no answer", run("lost", { unconfirmed: true }), [complete(lost)], undefined],
    ["lost, unconfirmed: confirmed", run("lost", { unconfirmed: true }), [complete()], tookComplete],
    [
      "completed: taken for another job",
      ok,
      [complete(lost), complete({ at: 2_000, jobId: 2 })],
      "its /completeWorkspaceJob was taken for job 2, and its own is 1",
    ],
  ])("agrees with Studio's records or not: %s", (_, own, journal, problem) => {
    const { all, found } = look(own, journal);
    expect(disagreements(all, found)[0]?.but).toBe(problem);
  });

  test.each<[string, Partial<Records>, number]>([
    ["was killed before recording it", { attempts: [attempt({ isBroken: true })] }, 0],
    ["was frozen before recording it", { freezes: [{ environment: "p1", fromMs: 1_001, toMs: 9_000 }] }, 0],
    ["was frozen after the run's end", { freezes: [{ environment: "p1", fromMs: 5_500, toMs: 9_000 }] }, 1],
  ])("may be lost, unconfirmed, after a post that Studio took, if its process %s", (_, more, count) => {
    const { all, found } = look(run("lost", { unconfirmed: true }), [complete()], more);
    expect(disagreements(all, found)).toHaveLength(count);
  });

  test("may be failed, unconfirmed, if a report was recorded and a newer run owns the workspace", () => {
    const reporting = { reason: "killed", explanation: "The worker was killed." };
    const recorded = run("failed", { unconfirmed: true, reporting });
    const newer = run("completed", { runId: "run-2", reason: "unconfirmed", delivering: true });
    const found = (...runs: RunRow[]) => {
      const all = records({ journal: [lease], runs, writes: [made] });
      return disagreements(all, { calls: sentCalls(all), ownLeases: leasesOfRuns(all) });
    };
    expect(found(recorded, newer).map(({ runId }) => runId)).not.toContain("run-1");
    expect(found(recorded)).toMatchObject([{ runId: "run-1", but: "Studio was told of no failure" }]);
    expect(found(run("failed", { unconfirmed: true }), newer)).toMatchObject([{ runId: "run-1" }, {}]);
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

  const unheard = { ...heartbeat, ...lost };
  const short = { ...lease, at: 5, lease: 2, leaseMs: 50 };
  const late = { ...heartbeat, at: 4_000, doneAt: 4_000, lease: 2 };

  test.each<[string, Records["journal"], object, string[]]>([
    ["Studio still held it and had said so", [heartbeat], {}, ["Studio held the lease for 9 s more"]],
    ["its last heartbeat was not answered", [unheard], {}, ["Studio held the lease for 4 s more"]],
    ["Studio had said that it is gone", [heartbeat, entry("/heartbeatWorkspaceJob", 5_500, refused)], {}, []],
    ["Studio had taken it away", [heartbeat], { untilMs: 5_500, end: "stolen" }, []],
    [
      "only another process had its heartbeats answered",
      [short, { ...late, answeredAt: 4_100, caller: "d2" }],
      { lease: 2 },
      [],
    ],
    [
      "its last answer came in time",
      [short, { ...late, answeredAt: 4_900 }],
      { lease: 2 },
      ["Studio held the lease for 8 s more"],
    ],
    ["its last answer came too late to be read", [short, { ...late, answeredAt: 5_990 }], { lease: 2 }, []],
  ])("is reported only if Studio's answers told that it was live: %s", (_, journal, record, but) => {
    expect(found(journal, record)).toEqual(but);
  });

  test("is not reported when another process ended the run, or when it had expired", () => {
    expect(found([heartbeat], {}, { ...closed, caller: "d1" })).toEqual([]);
    const later = run("lost", { reason: "lease_lost", endedAtMs: 9_000 });
    const { all, found: at } = look(later, [unheard], { writes: [made, { ...closed, atMs: 9_000 }] });
    expect(givenUp(all, at, [held])).toEqual([]);
  });
});
