import { between, seeded, type Random } from "./random.ts";
import {
  did,
  dueAt,
  isDone,
  later,
  plannedEvery,
  plannedMs,
  runningAs,
  scaled,
  type Scene,
} from "./scene.ts";
import { cuts } from "./service-faults.ts";
import type { Invocation } from "./watch.ts";

/** Of the attempts; of the posts; of the dispatchers. */
const shares = { cut: 0.03, frozen: 0.03, beforePost: 0.02, dispatcher: 0.015 };
/** A job whose lease is short is hit more often: there a halt of seconds outlasts the lease. */
const shortLeaseFactor = 6;
const cutMs = [2_000, 8_000] as const;
const frozenMs = [1_000, 12_000] as const;

interface Began {
  readonly invocation: Invocation;
  readonly workspaceId: string;
  readonly factor: number;
}

function onLegBegan({ stage, queue, over }: Scene, listener: (began: Began) => void): void {
  stage.watch.onLine((line, requestId) => {
    const { workspaceId } = line;
    if (line.message !== "leg_began" || workspaceId === undefined || over.signal.aborted) return;
    const invocation = runningAs(stage, requestId);
    const isShort = queue.caseIn(workspaceId)?.leaseMs === 5_000;
    if (invocation) listener({ invocation, workspaceId, factor: isShort ? shortLeaseFactor : 1 });
  });
}

/** One attempt's process cannot reach the run store, while everybody else's can. */
export function cutOffProcesses(scene: Scene): void {
  const { stage, options, over, intervals } = scene;
  const random = seeded(options.seed, "cuts");
  const deedOf = { reset: "cutReset", silent: "cutSilent" } as const;
  let attempts = 0;
  onLegBegan(scene, ({ invocation: { environment }, factor }) => {
    const owed = (["reset", "silent"] as const).filter((how) => !isDone(scene, deedOf[how]));
    const due = dueAt(owed, ++attempts, plannedEvery.process);
    if (random() >= scaled(scene, shares.cut) * factor && due === undefined) return;
    const how = due ?? (random() < 0.5 ? "reset" : "silent");
    const ms = between(random, ...cutMs);
    void later(over.signal, between(random, 0, due === undefined ? 1_500 : plannedMs), () => {
      const fromMs = Date.now();
      intervals.push({ environment, fromMs, toMs: fromMs + ms });
      stage.proxies.dynamodb.cutOff(environment, cuts[how]);
      did(scene, deedOf[how]);
      // Also once the faults rest: it ends by itself.
      setTimeout(() => stage.proxies.dynamodb.cutOff(environment, undefined), ms);
    });
  });
}

export function freezeProcesses(scene: Scene): void {
  const random = seeded(scene.options.seed, "freezes");
  freezeAttempts(scene, random);
  freezeBeforePosts(scene, random);
  freezeDispatchers(scene, random);
}

type FreezeDeed = "frozenProcessor" | "frozenBeforePost" | "frozenDispatcher";

function freeze(scene: Scene, { environment, pid }: Invocation, deed: FreezeDeed, random: Random): void {
  const nowMs = Date.now();
  const isFrozen = scene.intervals.some((one) => one.environment === environment && one.toMs > nowMs);
  const ms = between(random, ...frozenMs);
  if (isFrozen || !scene.stage.cloud.faults.freeze(pid, ms)) return;
  scene.intervals.push({ environment, fromMs: nowMs, toMs: nowMs + ms });
  did(scene, deed);
}

function freezeAttempts(scene: Scene, random: Random): void {
  const { options, over } = scene;
  let attempts = 0;
  onLegBegan(scene, ({ invocation, factor }) => {
    const owed = isDone(scene, "frozenProcessor") ? [] : [true];
    const due = dueAt(owed, ++attempts, plannedEvery.process);
    if (random() >= scaled(scene, shares.frozen) * factor && due === undefined) return;
    const afterMs = between(random, 0, due === undefined ? options.legSeconds * 300 : plannedMs);
    void later(over.signal, afterMs, () => {
      if (runningAs(scene.stage, invocation.requestId)) freeze(scene, invocation, "frozenProcessor", random);
    });
  });
}

/** When the run store has taken the note that the deliverables are on their way, and the attempt has not heard of it yet. */
function freezeBeforePosts(scene: Scene, random: Random): void {
  const { stage, queue, over } = scene;
  const seen = new Set<string>();
  stage.rowHistory.onWrite(({ runId, workspaceId, delivering, caller }) => {
    if (!delivering || seen.has(runId) || over.signal.aborted) return;
    seen.add(runId);
    const isShort = queue.caseIn(workspaceId)?.leaseMs === 5_000;
    const owed = isDone(scene, "frozenBeforePost") ? [] : [true];
    const due = dueAt(owed, seen.size, plannedEvery.process);
    const share = scaled(scene, shares.beforePost) * (isShort ? shortLeaseFactor : 1);
    if (random() >= share && due === undefined) return;
    const invocation = stage.watch.running().find(({ environment }) => environment === caller);
    if (invocation?.role === "processor") freeze(scene, invocation, "frozenBeforePost", random);
  });
}

function freezeDispatchers(scene: Scene, random: Random): void {
  const { stage, over } = scene;
  let windows = 0;
  stage.watch.onInvoke((invocation) => {
    if (invocation.role !== "dispatcher" || over.signal.aborted) return;
    const owed = isDone(scene, "frozenDispatcher") ? [] : [true];
    const due = dueAt(owed, ++windows, plannedEvery.process);
    if (random() >= scaled(scene, shares.dispatcher) && due === undefined) return;
    void later(over.signal, between(random, 0, due === undefined ? 300 : plannedMs), () => {
      if (runningAs(stage, invocation.requestId)) freeze(scene, invocation, "frozenDispatcher", random);
    });
  });
}
