import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { claimWorkspace } from "../../../lib/dispatch/claim.ts";
import { noUsage } from "../../../lib/model/model.ts";
import { createRunStore } from "../../../lib/runs/run-store.ts";
import type { Fence, Inherited, RunProgress } from "../../../lib/runs/run.ts";
import { createSpendRow } from "../../../lib/runs/spend.ts";
import { createWorkspaceRows } from "../../../lib/runs/workspaces.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { startLocalTable, type LocalTable } from "../../support/run-store.ts";
import { recordingLog, recordingMetrics } from "../../support/silent.ts";

let local: LocalTable;
beforeAll(async () => {
  local = await startLocalTable();
});
afterAll(() => local.close());

let pools = 0;
let pool = "";
beforeEach(() => {
  pool = `claim${++pools}`;
});

const startMs = 1_000_000;
const leaseMs = 600_000;
const usage = { ...noUsage, inputTokens: 100, outputTokens: 10 };
/** The progress of a run that has asked for two rounds. */
const twoRounds: RunProgress = {
  rounds: 2,
  responseIds: ["r1", "r2"],
  jobDigest: "job-1",
  usage,
  model: "m",
};

function build() {
  const clock = createFakeClock(startMs);
  const { table } = local;
  const runStore = createRunStore(table);
  const metrics = recordingMetrics();
  const ports = {
    clock,
    runStore,
    metrics,
    workspaces: createWorkspaceRows(table),
    log: recordingLog(),
    spend: createSpendRow(table),
  };
  const claim = (runId: string, workspaceId = "w") => claimWorkspace(ports, { pool, workspaceId, runId });
  const create = (runId: string, inherited?: Inherited) => {
    const times = { leasedAtMs: clock.now(), leaseExpiresAtMs: clock.now() + leaseMs };
    return runStore.create({ pool, runId, workspaceId: "w", keyId: "k", ...times, inherited });
  };
  let runs = 0;
  /** Leases the workspace: claims it and, if allowed, creates the run and starts its first attempt. */
  const lease = async (progress: RunProgress = {}) => {
    const runId = `run-${++runs}`;
    const claimed = await claim(runId);
    const fence: Fence = { pool, runId, attempt: 1, invocationId: `i-${runId}` };
    if (claimed.kind === "left_alone") return { claimed, fence };
    await create(runId, claimed.inherited);
    await runStore.start(fence, { atMs: clock.now(), requestId: `req-${runId}` });
    await runStore.saveProgress(fence, { rounds: 0, ...progress });
    return { claimed, fence };
  };
  const stateOf = async (runId: string) => {
    const { state, reason, unconfirmed } = (await runStore.read(pool, runId))!;
    return { state, reason, unconfirmed };
  };
  return { ports, clock, runStore, metrics, claim, create, lease, stateOf };
}

describe("a lease of a workspace that has an open run", () => {
  it("supersedes that run, whose attempt can no longer write", async () => {
    const { runStore, lease, stateOf, metrics } = build();
    const { fence } = await lease();
    await lease();
    expect(await stateOf("run-1")).toEqual({ state: "lost", reason: "superseded", unconfirmed: undefined });
    expect(await runStore.owns(fence)).toBeUndefined();
    const heartbeat = { atMs: startMs, leaseExpiresAtMs: startMs + leaseMs };
    expect(await runStore.heartbeat(fence, heartbeat)).toBeUndefined();
    expect(await runStore.saveProgress(fence, { delivering: true })).toBeUndefined();
    expect((await runStore.openRuns(pool)).map(({ runId }) => runId)).toEqual(["run-2"]);
    expect(metrics.emitted).toContain(`RunsLost{pool=${pool},reason=superseded} 1`);
  });

  it.each([
    [{ delivering: true }, "completed", "unconfirmed"],
    [{ reporting: { reason: "model_refused", explanation: "no" } }, "failed", "model_refused"],
  ])("ends a run that recorded %j as %s, unconfirmed", async (recorded, state, reason) => {
    const { lease, stateOf } = build();
    await lease({ ...twoRounds, ...recorded });
    await lease();
    expect(await stateOf("run-1")).toEqual({ state, reason, unconfirmed: true });
  });

  it("ends the run by its progress when it is superseded, not by what was read a moment before", async () => {
    const { runStore, claim, lease, stateOf } = build();
    const { fence } = await lease();
    const { supersede } = runStore;
    let isFirst = true;
    runStore.supersede = async (run, ending) => {
      if (isFirst) await runStore.saveProgress(fence, { delivering: true });
      isFirst = false;
      return supersede(run, ending);
    };
    await claim("run-2");
    expect(await stateOf("run-1")).toEqual({ state: "completed", reason: "unconfirmed", unconfirmed: true });
  });

  it("supersedes a run that was created between the lookup and the claim", async () => {
    const { ports, claim, create, stateOf } = build();
    await claim("run-a");
    const { claim: take } = ports.workspaces;
    ports.workspaces.claim = async (...asked) => {
      await create("run-a");
      return take(...asked);
    };
    await claim("run-b");
    expect(await stateOf("run-a")).toMatchObject({ state: "lost", reason: "superseded" });
  });

  it("counts the superseded run once, with its usage", async () => {
    const { ports, lease, metrics } = build();
    await lease(twoRounds);
    await lease();
    await lease();
    expect(metrics.emitted.filter((line) => line.startsWith("RunsLost"))).toHaveLength(2);
    expect(await ports.spend.read(pool, "1970-01-01")).toMatchObject({ runs: 2, lost: 2, inputTokens: 100 });
  });

  it("does not touch the run of another workspace", async () => {
    const { claim, lease, stateOf } = build();
    await lease();
    await claim("run-9", "another");
    expect(await stateOf("run-1")).toMatchObject({ state: "running" });
  });
});

describe("a new run inherits", () => {
  it("the responses of a superseded run, in case its job is the same", async () => {
    const { lease } = build();
    await lease(twoRounds);
    const job = { runId: "run-1", jobDigest: "job-1", responseIds: ["r1", "r2"], repaired: false };
    const inherited = { ...job, usage, usageBeside: noUsage };
    expect((await lease()).claimed).toEqual({ kind: "claimed", inherited });
  });

  it("the response of a round that started while the run was being superseded", async () => {
    const { runStore, claim, lease } = build();
    const { fence } = await lease(twoRounds);
    const { supersede } = runStore;
    runStore.supersede = async (run, ending) => {
      await runStore.saveProgress(fence, { rounds: 3, responseIds: ["r1", "r2", "r3"] });
      return supersede(run, ending);
    };
    expect(await claim("run-2")).toMatchObject({ inherited: { responseIds: ["r1", "r2", "r3"] } });
  });

  it("what the superseded run had inherited when it started no round of its own", async () => {
    const { lease } = build();
    await lease(twoRounds);
    await lease();
    expect((await lease()).claimed).toMatchObject({
      inherited: { runId: "run-1", responseIds: ["r1", "r2"] },
    });
  });

  it("the usage of all earlier runs of the job", async () => {
    const { lease } = build();
    await lease(twoRounds);
    await lease({ ...twoRounds, responseIds: ["r1", "r2", "r3"], usageBefore: usage });
    const twice = { ...noUsage, inputTokens: 200, outputTokens: 20 };
    const inherited = { runId: "run-2", responseIds: ["r1", "r2", "r3"], usage: twice };
    expect((await lease()).claimed).toMatchObject({ inherited });
  });

  it("the responses of the last run that was created, past a claim without a run", async () => {
    const { claim, lease } = build();
    await lease(twoRounds);
    await claim("never-created");
    expect((await lease()).claimed).toMatchObject({
      inherited: { runId: "run-1", responseIds: ["r1", "r2"] },
    });
  });

  it("nothing from a run that Studio confirmed as completed", async () => {
    const { clock, runStore, lease } = build();
    const { fence } = await lease(twoRounds);
    await runStore.finish(fence, { state: "completed", reason: "ok", atMs: clock.now() });
    expect((await lease()).claimed).toEqual({ kind: "claimed", inherited: undefined });
  });

  it("nothing from a run that did not read its job", async () => {
    const { lease } = build();
    await lease();
    expect((await lease()).claimed).toEqual({ kind: "claimed", inherited: undefined });
  });
});

describe("a workspace whose runs are lost again and again", () => {
  /** Creates a run that is paid for and then loses its lease. */
  async function lose({ clock, runStore, lease }: ReturnType<typeof build>, progress = twoRounds) {
    const { claimed, fence } = await lease(progress);
    if (claimed.kind === "claimed")
      await runStore.finish(fence, { state: "lost", reason: "lease_lost", atMs: clock.now() });
    return claimed;
  }

  it("is skipped after three runs for the length of a lease, and then for twice as long", async () => {
    const world = build();
    for (const _ of [1, 2, 3]) expect(await lose(world)).toMatchObject({ kind: "claimed" });
    expect(await lose(world)).toEqual({ kind: "left_alone", losses: 3, untilMs: startMs + 600_000 });
    await world.clock.advance(600_000);
    expect(await lose(world)).toMatchObject({ kind: "claimed" });
    expect(await lose(world)).toEqual({ kind: "left_alone", losses: 4, untilMs: startMs + 1_800_000 });
  });

  it("is skipped for six hours at most", async () => {
    const world = build();
    for (const _ of [1, 2, 3]) await lose(world);
    for (let losses = 3; losses < 12; losses++) {
      await world.clock.advance(21_600_000);
      await lose(world);
    }
    expect(await lose(world)).toMatchObject({ losses: 12, untilMs: world.clock.now() + 21_600_000 });
  });

  it("is listed while it is skipped", async () => {
    const world = build();
    for (const _ of [1, 2, 3, 4]) await lose(world);
    const { workspaces } = world.ports;
    expect(await workspaces.leftAlone(pool, startMs + 1)).toMatchObject([
      { workspaceId: "w", losses: 2, leftAloneUntilMs: startMs + 600_000 },
    ]);
    expect(await workspaces.leftAlone(pool, startMs + 600_001)).toEqual([]);
  });

  it("is not skipped for leases that were lost before anything was paid for", async () => {
    const world = build();
    for (const _ of [1, 2, 3, 4, 5])
      expect(await lose(world, { usage: noUsage })).toMatchObject({ kind: "claimed" });
  });

  it("starts with no losses again once a run of it has completed", async () => {
    const world = build();
    for (const _ of [1, 2]) await lose(world);
    const { fence } = await world.lease(twoRounds);
    await world.runStore.finish(fence, { state: "completed", reason: "ok", atMs: world.clock.now() });
    for (const _ of [1, 2, 3]) expect(await lose(world)).toMatchObject({ kind: "claimed" });
  });
});
