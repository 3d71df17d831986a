import { setTimeout as pause } from "node:timers/promises";
import { signalGroup } from "../../local/cloud/warden.ts";
import type { LeaseThief } from "../../local/studio/jobs.ts";
import { deeds, ledgerOutage, modelRules, studioOutage, studioRules } from "./faults.ts";
import type { ChaosOptions } from "./options.ts";
import { between, seeded } from "./random.ts";
import type { Stage } from "./stage.ts";
import { add, type Invocation } from "./watch.ts";

/** What befalls a share of the events, of the leases, and of the out-of-memory kills among all kills. */
const shares = { duplicate: 0.03, drop: 0.02, late: 0.03, lease: 0.007, memory: 0.3 };
const ledgerOutageMs = 2_500;
/** As long as a deed has not been done once, each so manieth occasion is taken for it: in few jobs the dice forget some. */
const plannedEvery = { event: 7, kill: 6, lease: 5 };
/** After which a planned deed strikes: nearly at once, so that it hits. */
const plannedMs = 60;

export interface Disturbance {
  /** What was done beyond the faults of calls, by name. */
  readonly done: ReadonlyMap<string, number>;
  /** Jobs whose lease was taken away. */
  readonly taken: ReadonlySet<string>;
  /** Does what is due once this share of the jobs has ended. */
  progressed(share: number): void;
  /** All faults rest; what was begun is undone. */
  stop(): Promise<void>;
}

export interface Prey {
  isPoison(workspaceId: string): boolean;
}

/**
 * Lets everything go wrong by a plan that the seed fixes: rates and dice. Which call or process a die hits depends on the
 * machine's timing, so that two runs of a seed are alike and not the same.
 */
export function disturb(stage: Stage, options: ChaosOptions, prey: Prey): Disturbance {
  const { cloud, studio, model, proxies } = stage;
  const { faultRate } = options;
  const scene: Scene = { stage, options, done: new Map(), taken: new Set(), over: new AbortController() };
  if (faultRate > 0) {
    for (const rule of studioRules(faultRate)) studio.faults.add(rule);
    for (const rule of modelRules(faultRate)) model.faults.add(rule);
  }
  for (const proxy of Object.values(proxies)) proxy.setRate(faultRate);
  if (faultRate > 0) disturbEvents(scene);
  if (options.killRate > 0) killProcesses(scene);
  takeLeases(scene);
  poison(scene, prey);
  const timetable = timetableOf(scene);
  let working: Promise<void> = Promise.resolve();
  return {
    done: scene.done,
    taken: scene.taken,
    progressed(share) {
      while (timetable[0] && timetable[0].at <= share) {
        const { act } = timetable.shift()!;
        working = working.then(act);
      }
    },
    async stop() {
      timetable.length = 0;
      scene.over.abort();
      studio.faults.clear();
      model.faults.clear();
      cloud.faults.delayEvent(0);
      for (const proxy of Object.values(proxies)) proxy.setRate(0);
      await working;
      for (const proxy of Object.values(proxies)) proxy.setOutage(undefined);
      studio.faults.clear();
    },
  };
}

interface Scene {
  readonly stage: Stage;
  readonly options: ChaosOptions;
  readonly done: Map<string, number>;
  readonly taken: Set<string>;
  readonly over: AbortController;
}

/** The next of what is still to be done once; `undefined` once all is done, and until its turn comes. */
function dueAt<T>(owed: readonly T[], occasion: number, every: number): T | undefined {
  return occasion % every === 0 ? owed[0] : undefined;
}

/** Duplicate, lost and late events, of any function: decided at each invocation for the next event. */
function disturbEvents({ stage: { cloud, watch }, options, done, over }: Scene): void {
  const random = seeded(options.seed, "events");
  const owed: ("duplicate" | "drop" | "late")[] = ["duplicate", "drop", "late"];
  const acts = {
    duplicate: () => cloud.faults.duplicate(1),
    drop: () => cloud.faults.dropEvent(1),
    late: () => cloud.faults.delayEvent(between(random, 500, 4_000)),
  };
  let invocations = 0;
  // A delay holds until it is taken back, and is meant for one event.
  watch.onQueued(() => cloud.faults.delayEvent(0));
  watch.onInvoke(() => {
    if (over.signal.aborted) return;
    const due = dueAt(owed, ++invocations, plannedEvery.event);
    if (due !== undefined) owed.shift();
    const act = due ?? fateOf(random());
    if (act === undefined) return;
    acts[act]();
    add(done, deeds[act]);
  });
}

function fateOf(die: number): "duplicate" | "drop" | "late" | undefined {
  if (die < shares.duplicate) return "duplicate";
  if (die < shares.duplicate + shares.drop) return "drop";
  return die < shares.duplicate + shares.drop + shares.late ? "late" : undefined;
}

/** `kill -9` at a random moment of an invocation, its cold start included; or the end that Lambda's memory limit brings. */
function killProcesses({ stage, options, done, over }: Scene): void {
  const { watch, cloud, labels } = stage;
  const random = seeded(options.seed, "kills");
  const counts = { dispatcher: { of: 0, killed: 0 }, processor: { of: 0, killed: 0 } };
  const owedOf = (role: "dispatcher" | "processor") => killsOf[role].filter((kind) => !done.has(deeds[kind]));
  watch.onBroken((_, errorType) => {
    if (errorType !== "Runtime.OutOfMemory") return;
    counts.processor.killed += 1;
    add(done, deeds.memory);
  });
  const longestMs = { dispatcher: 500, processor: options.legSeconds * 400 };

  watch.onInvoke((invocation) => {
    const { role, requestId } = invocation;
    if (over.signal.aborted || role === "settler") return;
    const count = counts[role];
    count.of += 1;
    // A kill that comes after the invocation's end hits nobody: such misses are made up for.
    const isBehind = count.killed < options.killRate * count.of - 1;
    const due = dueAt(owedOf(role), count.of, plannedEvery.kill);
    if (random() >= options.killRate && !isBehind && due === undefined) return;
    const afterMs = between(random, 0, due === undefined ? longestMs[role] : plannedMs);
    const byDice = role === "processor" && random() < shares.memory ? "memory" : killsOf[role][0];
    const kind = due ?? byDice;
    if (kind === "memory") {
      return cloud.faults.kill(labels.processor, afterMs, "memory");
    }
    void later(over.signal, afterMs, () => {
      if (!isRunning(stage, requestId)) return;
      count.killed += 1;
      add(done, deeds[kind]);
      signalGroup(invocation.pid, "SIGKILL");
    });
  });
}

const killsOf = { dispatcher: ["killDispatcher"], processor: ["killProcessor", "memory"] } as const;

/** Not at all once the signal aborts. */
async function later(signal: AbortSignal, ms: number, act: () => void): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch {
    return;
  }
  act();
}

const isLeased = ({ studio }: Stage, workspaceId: string): boolean =>
  studio.snapshot().some((one) => one.workspaceId === workspaceId && one.state === "leased");

const isRunning = ({ watch }: Stage, requestId: string | undefined): Invocation | undefined =>
  watch.running().find((one) => one.requestId === requestId);

/** Leases that are given to somebody else, put back into the queue, or expire, under a run in its first leg. */
function takeLeases({ stage, options, done, taken, over }: Scene): void {
  const random = seeded(options.seed, "leases");
  const thieves: readonly LeaseThief[] = ["other", "nobody", "time"];
  const names = { other: deeds.stolen, nobody: deeds.putBack, time: deeds.expired };
  let runs = 0;
  stage.watch.onLine((line) => {
    const { workspaceId } = line;
    if (line.message !== "leg_began" || line["leg"] !== 1 || workspaceId === undefined) return;
    runs += 1;
    const owed = thieves.filter((one) => !done.has(names[one]));
    const due = dueAt(owed, runs, plannedEvery.lease);
    const isBehind = taken.size < shares.lease * runs - 0.5;
    if (over.signal.aborted || (random() >= shares.lease && !isBehind && due === undefined)) return;
    const thief = due ?? thieves[Math.floor(random() * thieves.length)]!;
    const afterMs = between(random, 0, due === undefined ? 1_500 : plannedMs);
    void later(over.signal, afterMs, () => {
      if (!isLeased(stage, workspaceId)) return;
      stage.studio.steal(workspaceId, thief);
      taken.add(workspaceId);
      add(done, names[thief]);
    });
  });
}

/** A job that kills its process each time it is begun. */
function poison({ stage, done, over }: Scene, prey: Prey): void {
  stage.watch.onLine((line, requestId) => {
    const { workspaceId } = line;
    if (line.message !== "leg_began" || workspaceId === undefined || over.signal.aborted) return;
    const invocation = prey.isPoison(workspaceId) ? isRunning(stage, requestId) : undefined;
    if (!invocation) return;
    add(done, deeds.poison);
    signalGroup(invocation.pid, "SIGKILL");
  });
}

interface Entry {
  /** Share of the jobs that have ended. */
  readonly at: number;
  readonly act: () => Promise<void>;
}

function timetableOf(scene: Scene): Entry[] {
  const { jobs, faultRate, seed } = scene.options;
  if (faultRate === 0) return [];
  const random = seeded(seed, "timetable");
  const often = (count: number, act: (scene: Scene) => Promise<void>, within = 0.6): readonly Entry[] =>
    Array.from({ length: Math.max(1, Math.round(count)) }, (_, at) => ({
      at: (at + 0.1 + within * random()) / Math.max(1, Math.round(count)),
      act: () => (scene.over.signal.aborted ? Promise.resolve() : act(scene)),
    }));
  return [
    ...often(jobs / 250, studioDown),
    ...often(jobs / 250, ledgerDown),
    ...often(jobs / 300, rotateKey),
    // Early: somebody must still be leased with the key.
    ...often(jobs / 300, revokeKey, 0.2),
  ].toSorted((left, right) => left.at - right.at);
}

/** For longer than a leg, and shorter than a lease. */
async function studioDown({ stage: { studio }, options, done, over }: Scene): Promise<void> {
  add(done, deeds.studioDown);
  studio.faults.clear();
  studio.faults.add(studioOutage);
  await pause(options.legSeconds * 1_000 + 500);
  studio.faults.clear();
  if (over.signal.aborted) return;
  const struck = new Set(studio.faults.log().map(({ name = "" }) => name));
  for (const rule of studioRules(options.faultRate, struck)) studio.faults.add(rule);
}

async function ledgerDown({ stage: { proxies }, done }: Scene): Promise<void> {
  add(done, deeds.ledgerDown);
  proxies.dynamodb.setOutage(ledgerOutage);
  await pause(ledgerOutageMs);
  proxies.dynamodb.setOutage(undefined);
}

/** The new key stands first; the old ones stay beside it, as the runs in flight need them: two rotations may come close. */
async function rotateKey({ stage, done }: Scene): Promise<void> {
  const fresh = stage.studio.createKey("user").runnerToken;
  stage.putRunnerKeys([fresh, ...stage.runnerKeys()].slice(0, 3));
  killDispatchers(stage);
  add(done, deeds.rotated);
  await Promise.resolve();
}

function killDispatchers({ cloud }: Stage): void {
  const dispatcher = cloud.functions().find(({ label }) => label.includes("dispatch"));
  for (const { pid } of dispatcher?.environments ?? []) signalGroup(pid, "SIGKILL");
}

/** A second key is revoked as soon as a lease was taken with it: the run that holds it is in flight. */
async function revokeKey({ stage, done, taken, over }: Scene): Promise<void> {
  const key = stage.studio.createKey("user");
  const before = stage.runnerKeys();
  const used = Promise.withResolvers<boolean>();
  const limit = AbortSignal.any([over.signal, AbortSignal.timeout(60_000)]);
  limit.addEventListener("abort", () => used.resolve(false), { once: true });
  stage.watch.onLine((line) => {
    if (line["keyId"] !== key.credentialId || line.message !== "leg_began" || limit.aborted) return;
    if (line.workspaceId !== undefined) taken.add(line.workspaceId);
    used.resolve(true);
  });
  stage.putRunnerKeys([...before, key.runnerToken]);
  // Dispatchers keep what they have read for minutes: a process of their own reads anew.
  for (const { pid } of stage.watch.running().filter(({ role }) => role === "dispatcher"))
    signalGroup(pid, "SIGKILL");
  const isInFlight = await used.promise;
  stage.putRunnerKeys(before);
  stage.studio.revokeKey(key.instanceId);
  if (isInFlight) add(done, deeds.revoked);
}
