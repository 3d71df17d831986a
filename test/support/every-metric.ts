import { setImmediate as nextTurn } from "node:timers/promises";
import { pollingTimes } from "../../lib/dispatch/polling.ts";
import { runCycle, type CyclePorts, type CycleSettings } from "../../lib/dispatch/cycle.ts";
import type { Table } from "../../lib/adapters/dynamodb.ts";
import { RunnerError } from "../../lib/core/errors.ts";
import { runAttempt, type AttemptPorts } from "../../lib/attempt/attempt.ts";
import { recoverFailed } from "../../lib/attempt/failed-invocation.ts";
import { inTier } from "../../lib/attempt/tiered-model.ts";
import { timed } from "../../lib/attempt/paced-model.ts";
import { createWork } from "../../lib/attempt/work.ts";
import { createBackoffRow } from "../../lib/runs/backoff.ts";
import { createControlRow } from "../../lib/runs/control.ts";
import { createDispatchLock } from "../../lib/runs/dispatch-lock.ts";
import { createRunStore, type RunStore } from "../../lib/runs/run-store.ts";
import { createRunStoreTable } from "../../lib/runs/table.ts";
import { createSpendRow } from "../../lib/runs/spend.ts";
import { createWorkspaceRows } from "../../lib/runs/workspaces.ts";
import type { ModelTurn } from "../../lib/model/model.ts";
import type { Emitter, MetricName, Metrics } from "../../lib/core/metrics.ts";
import { Secret } from "../../lib/core/secret.ts";
import type { Context } from "../../lib/studio/schemas.ts";
import type { Studio } from "../../lib/studio/studio.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { script as httpScript, startHttpServer } from "./http-server.ts";
import { anyone } from "./aws.ts";
import type { LocalTable } from "./run-store.ts";
import { says, scriptedModel, type Step } from "./scripted-model.ts";
import { recordingLog } from "./silent.ts";

export interface Emission {
  /** The part of the runner that emitted it. */
  readonly part: Emitter;
  readonly name: MetricName;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
}

const nowMs = 10_000_000;
const lost = new RunnerError("lease_lost", "409", { status: 409 });
const outage = new RunnerError("studio_unavailable", "502", { retryable: true, status: 502 });
const refused = new RunnerError("key_refused", "401", { status: 401 });
const throwing = (error: unknown) => async (): Promise<never> => {
  throw error;
};
const unused = throwing(new Error("not this act's business"));

const context: Context = {
  workspaceId: "w",
  title: null,
  legacyIdea: null,
  messageCount: 1,
  recentMessages: [{ id: "m1", role: "user", text: "Compare teas.", createdAtMs: nowMs - 9_000 }],
  priorMessages: [],
  recentText: "Compare teas.",
  priorTextVerbatim: "",
  recentTokenEstimate: 1,
  priorTokenEstimate: 0,
  priorNeedsSummarization: false,
  storedPriorSummary: null,
  storedSummaryCoversPrior: false,
};

const healthy: Studio = {
  lease: async () => undefined,
  context: async () => context,
  heartbeat: async () => ({ leaseExpiresAtMs: undefined }),
  updateSummary: unused,
  complete: async () => undefined,
  fail: async () => undefined,
};

const words = says("Done.");
const answer: ModelTurn = { ...words, usage: { ...words.usage, costUsd: 0.00046 } };
const noCapacity = (): RunnerError => new RunnerError("model_no_capacity", "429");

/** How one act differs from a world without faults. Each act has a pool of its own. */
interface Act {
  readonly studio?: Partial<Studio>;
  readonly steps?: readonly Step[];
  readonly work?: AttemptPorts["work"];
  /** The remaining time of an attempt's invocation. */
  readonly remainingMs?: number;
  readonly settings?: Partial<CycleSettings>;
  readonly ports?: (ports: World["ports"]) => Partial<World["ports"]>;
  readonly before?: (world: World) => Promise<void>;
}

interface World {
  readonly pool: string;
  readonly clock: FakeClock;
  /** Whether a request to the table is pending. */
  readonly isBusy: () => boolean;
  readonly table: Table;
  readonly runStore: RunStore;
  readonly ports: CyclePorts & AttemptPorts;
}

interface Setting {
  readonly metrics: Metrics;
  readonly pool: string;
  readonly act: Act;
}

function worldOf(local: LocalTable, { metrics, pool, act }: Setting): World {
  const clock = createFakeClock(nowMs);
  const { table, isBusy } = watch(local.table);
  const runStore = createRunStore(table);
  let ids = 0;
  const script = scriptedModel(...(act.steps ?? [answer]));
  const tier = { clock, random: () => 0, log: recordingLog(), metrics, pool, serviceTier: "flex" } as const;
  const model = inTier(timed(script, { clock, metrics, pool }), tier);
  const ports: CyclePorts & AttemptPorts = {
    clock,
    random: () => 0,
    newId: () => `id${++ids}`,
    log: recordingLog(),
    metrics,
    runStore,
    workspaces: createWorkspaceRows(table),
    spend: createSpendRow(table),
    control: createControlRow(table),
    backoff: createBackoffRow(table, clock),
    stop: new AbortController().signal,
    lock: createDispatchLock(table),
    keys: {
      get: async () => [{ id: "k1", value: new Secret("k1.secret") }],
      refresh: async () => [{ id: "k1", value: new Secret("k1.secret") }],
      retired: async () => [],
    },
    studio: { ...healthy, ...act.studio },
    invoker: { invoke: async () => undefined },
    runLimitMs: 3_600_000,
    modelName: "m",
    work:
      act.work ?? createWork({ modelFor: () => model, modelName: "m", summaryModelName: "m", store: true }),
    cancelResponse: async () => undefined,
  };
  return { pool, clock, isBusy, runStore, table, ports: { ...ports, ...act.ports?.(ports) } };
}

function watch(table: Table): { readonly table: Table; readonly isBusy: () => boolean } {
  let calls = 0;
  const counted =
    <Args extends readonly unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
    async (...args: Args): Promise<Answer> => {
      calls += 1;
      try {
        return await call(...args);
      } finally {
        calls -= 1;
      }
    };
  const { get, put, update, query } = table;
  return {
    table: { get: counted(get), put: counted(put), update: counted(update), query: counted(query) },
    isBusy: () => calls > 0,
  };
}

const run = { runId: "r1", workspaceId: "w", keyId: "k1" };

/** A run whose only attempt started long ago and has been silent since, while its lease is live. */
async function silentRun({ pool, runStore }: World): Promise<void> {
  const times = { leasedAtMs: nowMs - 500_000, leaseExpiresAtMs: nowMs + 600_000 };
  await runStore.create({ ...run, pool, ...times });
  const fence = { pool, runId: "r1", attempt: 1, invocationId: "i1" };
  await runStore.start(fence, { atMs: nowMs - 500_000, requestId: "req1" });
  await runStore.saveProgress(fence, { rounds: 1, responseIds: ["resp_1"], model: "m", usage: answer.usage });
}

const silentRunWith =
  (set: Readonly<Record<string, unknown>>) =>
  async (world: World): Promise<void> => {
    await silentRun(world);
    await world.table.update({ pool: world.pool, id: "run#r1" }, { set });
  };

const leasedFor =
  (leftMs: number) =>
  ({ pool, runStore }: World): Promise<void> =>
    runStore.create({ ...run, pool, leasedAtMs: nowMs - 1_000, leaseExpiresAtMs: nowMs + leftMs });
const leased = leasedFor(599_000);

/** Three runs in a row that cost money and were lost, the last one just now. */
async function lostThrice(world: World): Promise<void> {
  await silentRun(world);
  const { pool, runStore, ports } = world;
  const silent = (await runStore.read(pool, "r1"))!;
  await runStore.finishAbandoned(silent, { state: "lost", reason: "silent", atMs: nowMs });
  const claim = { workspaceId: "w", runId: "r1", losses: 2, previousRunId: undefined, atMs: nowMs };
  await ports.workspaces.claim(pool, claim);
}

/** For the reaper of a cycle, and for recovery. */
const recoveries: Readonly<Record<string, Act>> = {
  "an attempt is restarted": { before: silentRun },
  "a job that kills its worker is failed": { before: silentRunWith({ starts: 3 }) },
  "a lease is gone": { before: silentRun, studio: { heartbeat: throwing(lost) } },
  "a delivery had arrived": {
    before: silentRunWith({ delivering: true }),
    studio: { heartbeat: throwing(lost) },
  },
  "the key of a lost attempt is refused": { before: silentRun, studio: { heartbeat: throwing(refused) } },
};

const leases = (): Studio["lease"] => {
  let left = 1;
  return async () => (left-- > 0 ? { workspaceId: "w", leaseExpiresAtMs: nowMs + 600_000 } : undefined);
};

const cycles: Readonly<Record<string, Act>> = {
  ...recoveries,
  "idle with a cap": { settings: { dailyCapUsd: 5 } },
  leasing: { studio: { lease: leases() } },
  "leasing a workspace that is lost again and again": { before: lostThrice, studio: { lease: leases() } },
  "with a lease that cannot be recorded": {
    studio: { lease: leases() },
    ports: ({ runStore }) => ({ runStore: { ...runStore, create: throwing(outage) } }),
  },
};

const untilAborted: AttemptPorts["work"] = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

const attempts: Readonly<Record<string, Act>> = {
  completing: { before: leased },
  "of a duplicate event": { before: silentRun },
  "that the model declines": { before: leased, steps: [new RunnerError("model_refused", "no")] },
  // Seven waits of two minutes in all, then the tier auto.
  "in a tier without capacity": { before: leased, steps: [...Array.from({ length: 8 }, noCapacity), answer] },
  "with a refused model key": { before: leased, steps: [new RunnerError("model_key_refused", "401")] },
  "with a refused runner key": { before: leasedFor(5_000), studio: { heartbeat: throwing(refused) } },
  "whose lease is gone": { before: leased, studio: { heartbeat: throwing(lost) } },
  "at its deadline": { before: leased, work: untilAborted, remainingMs: 10_000 },
};

const runners: Readonly<Record<Emitter, (world: World, act: Act) => Promise<unknown>>> = {
  dispatcher: ({ ports, pool }, { settings }) =>
    runCycle(
      ports,
      { ...plain, pool, ...settings },
      { remainingMs: 75_000, stop: new AbortController().signal },
    ),
  processor: ({ ports, pool }, { remainingMs = 300_000 }) =>
    runAttempt(ports, { pool, runId: "r1", attempt: 1 }, { remainingMs, requestId: "req1" }),
  recovery: ({ ports, pool }) =>
    recoverFailed(ports, { event: { pool, runId: "r1", attempt: 1 }, requestId: "req1", failure: "crashed" }),
};

const plain: Omit<CycleSettings, "pool"> = {
  polling: pollingTimes.economy,
  concurrency: 10,
  leasesPerKey: undefined,
  dailyCapUsd: undefined,
  maxEventAgeMs: 300_000,
};

async function runAct(part: Emitter, world: World, act: Act): Promise<void> {
  const { clock, isBusy } = world;
  const done = runners[part](world, act);
  const state = { over: false };
  const end = (): void => void (state.over = true);
  void done.then(end, end);
  // While a request to the table is pending, real time passes and the fake clock stands still. Otherwise the
  // clock advances in small steps.
  while (!state.over) {
    if (isBusy()) await nextTurn();
    else await clock.advance(100);
    if (clock.now() > nowMs + 3_600_000) throw new Error(`${part}: the act does not end`);
  }
}

/** Makes DynamoDB throttle one call. */
async function throttleOnce(metrics: Metrics, pool: string): Promise<void> {
  const type = "application/x-amz-json-1.0";
  const server = await startHttpServer(
    httpScript(
      { status: 400, headers: { "content-type": type }, body: { __type: "x#ThrottlingException" } },
      { headers: { "content-type": type }, body: {} },
    ),
  );
  const table = createRunStoreTable({ tableName: "runs", pool, metrics }, anyone(server.baseUrl));
  await table.get({ pool, id: "x" });
  await server.close();
}

const acts: Readonly<Record<Emitter, Readonly<Record<string, Act>>>> = {
  dispatcher: cycles,
  processor: attempts,
  recovery: recoveries,
};

/** Runs cycles, attempts and recovery over a real table so that each metric is emitted by each of its emitters. */
export async function emitEverything(local: LocalTable): Promise<readonly Emission[]> {
  const emissions: Emission[] = [];
  const recorder = (part: Emitter): Metrics => ({
    emit: (name, dimensions, value) => void emissions.push({ part, name, dimensions, value }),
  });
  let pools = 0;
  for (const part of ["dispatcher", "processor", "recovery"] as const) {
    for (const act of Object.values(acts[part])) {
      const pool = `every${++pools}`;
      const world = worldOf(local, { metrics: recorder(part), pool, act });
      await act.before?.(world);
      await runAct(part, world, act);
    }
    await throttleOnce(recorder(part), "every");
  }
  return emissions;
}
