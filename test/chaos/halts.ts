import type { PlannedCase } from "./plan.ts";
import { between, seeded, type Random, type Range } from "./random.ts";
import {
  did,
  dueAt,
  isDone,
  later,
  plannedEvery,
  plannedMs,
  runningAs,
  scaled,
  type ChaosContext,
} from "./context.ts";
import { cuts } from "./service-faults.ts";
import type { Invocation } from "./watch.ts";

/** Shares of the attempts, the posts and the dispatchers. */
const shares = { cut: 0.03, frozen: 0.03, beforePost: 0.02, dispatcher: 0.015 };
/** Durations: random ones, and one for a job that is to be halted until others consider it dead. */
const lengthsMs = {
  cut: [2_000, 8_000],
  frozen: [1_000, 12_000],
  "cut off": [5_500, 8_000],
  "at work": [3_000, 6_000],
  "before the post": [5_500, 9_000],
} as const satisfies Readonly<Record<string, Range>>;

const within = (random: Random, [low, high]: Range): number => between(random, low, high);

interface Began {
  readonly invocation: Invocation;
  /** Applies to a job's first attempt, if it is planned. */
  readonly halt: PlannedCase["halt"];
}

function onAttemptBegan({ stage, queue, over }: ChaosContext, listener: (began: Began) => void): void {
  stage.watch.onLine((line, requestId) => {
    const { workspaceId } = line;
    if (line.message !== "attempt_began" || workspaceId === undefined || over.signal.aborted) return;
    const invocation = runningAs(stage, requestId);
    const halt = line["attempt"] === 1 ? queue.caseIn(workspaceId)?.halt : undefined;
    if (invocation) listener({ invocation, halt });
  });
}

/** One attempt's process cannot reach the run store, while all others can. */
export function cutOffProcesses(context: ChaosContext): void {
  const { stage, options, over, intervals } = context;
  const random = seeded(options.seed, "cuts");
  const deedOf = { reset: "cutReset", silent: "cutSilent" } as const;
  let attempts = 0;
  onAttemptBegan(context, ({ invocation: { environment }, halt }) => {
    const isPlanned = halt === "cut off";
    const owed = (["reset", "silent"] as const).filter((how) => !isDone(context, deedOf[how]));
    const due = dueAt(owed, ++attempts, plannedEvery.process);
    if (random() >= scaled(context, shares.cut) && due === undefined && !isPlanned) return;
    const how = due ?? (random() < 0.5 ? "reset" : "silent");
    const ms = within(random, lengthsMs[isPlanned ? "cut off" : "cut"]);
    const isSoon = due !== undefined || isPlanned;
    void later(over.signal, between(random, 0, isSoon ? plannedMs : 1_500), () => {
      const fromMs = Date.now();
      intervals.push({ environment, fromMs, toMs: fromMs + ms, isFrozen: false });
      stage.proxies.dynamodb.cutOff(environment, cuts[how]);
      did(context, deedOf[how]);
      // Also runs after the faults have stopped, because it ends by itself.
      setTimeout(() => stage.proxies.dynamodb.cutOff(environment, undefined), ms);
    });
  });
}

export function freezeProcesses(context: ChaosContext): void {
  const random = seeded(context.options.seed, "freezes");
  freezeAttempts(context, random);
  freezeBeforePosts(context, random);
  freezeDispatchers(context, random);
}

type FreezeDeed = "frozenProcessor" | "frozenBeforePost" | "frozenDispatcher";

interface Freeze {
  readonly deed: FreezeDeed;
  readonly ms: number;
}

function freeze(context: ChaosContext, { environment, pid }: Invocation, { deed, ms }: Freeze): void {
  const nowMs = Date.now();
  const isFrozen = context.intervals.some((one) => one.environment === environment && one.toMs > nowMs);
  if (isFrozen || !context.stage.cloud.faults.freeze(pid, ms)) return;
  context.intervals.push({ environment, fromMs: nowMs, toMs: nowMs + ms, isFrozen: true });
  did(context, deed);
}

function freezeAttempts(context: ChaosContext, random: Random): void {
  const { options, over } = context;
  let attempts = 0;
  onAttemptBegan(context, ({ invocation, halt }) => {
    const isPlanned = halt === "at work";
    const owed = isDone(context, "frozenProcessor") ? [] : [true];
    const due = dueAt(owed, ++attempts, plannedEvery.process);
    if (random() >= scaled(context, shares.frozen) && due === undefined && !isPlanned) return;
    const ms = within(random, lengthsMs[isPlanned ? "at work" : "frozen"]);
    const afterMs = between(random, 0, due === undefined ? options.attemptSeconds * 300 : plannedMs);
    void later(over.signal, afterMs, () => {
      if (runningAs(context.stage, invocation.requestId))
        freeze(context, invocation, { deed: "frozenProcessor", ms });
    });
  });
}

/**
 * Freezes an attempt after the run store has accepted its note that the deliverables are being sent, and
 * before the attempt learns of it.
 */
function freezeBeforePosts(context: ChaosContext, random: Random): void {
  const { stage, queue, over } = context;
  const seen = new Set<string>();
  stage.rowHistory.onWrite(({ runId, workspaceId, delivering, caller }) => {
    if (!delivering || seen.has(runId) || over.signal.aborted) return;
    seen.add(runId);
    const halt = "before the post";
    const isPlanned = queue.caseIn(workspaceId)?.halt === halt;
    const owed = isDone(context, "frozenBeforePost") ? [] : [true];
    const due = dueAt(owed, seen.size, plannedEvery.process);
    if (random() >= scaled(context, shares.beforePost) && due === undefined && !isPlanned) return;
    const ms = within(random, lengthsMs[isPlanned ? halt : "frozen"]);
    const invocation = stage.watch.running().find(({ environment }) => environment === caller);
    if (invocation?.role === "processor") freeze(context, invocation, { deed: "frozenBeforePost", ms });
  });
}

function freezeDispatchers(context: ChaosContext, random: Random): void {
  const { stage, over } = context;
  let cycles = 0;
  stage.watch.onInvoke((invocation) => {
    if (invocation.role !== "dispatcher" || over.signal.aborted) return;
    const owed = isDone(context, "frozenDispatcher") ? [] : [true];
    const due = dueAt(owed, ++cycles, plannedEvery.process);
    if (random() >= scaled(context, shares.dispatcher) && due === undefined) return;
    const ms = within(random, lengthsMs.frozen);
    void later(over.signal, between(random, 0, due === undefined ? 300 : plannedMs), () => {
      if (runningAs(stage, invocation.requestId))
        freeze(context, invocation, { deed: "frozenDispatcher", ms });
    });
  });
}
