import { signalGroup } from "../../local/cloud/warden.ts";
import { drawDeeds, did, later, onAttemptBegan, runningAs, type ChaosContext } from "./context.ts";
import { between, seeded, type Random } from "./random.ts";
import { cuts } from "./service-faults.ts";
import type { Invocation } from "./watch.ts";

/** Duplicates, drops and delays events of any function. Each invocation decides about the next event. */
export function disturbEvents(context: ChaosContext): void {
  const { cloud, watch } = context.stage;
  const random = seeded(context.options.seed, "events");
  const draw = drawDeeds(context, { random, every: 7, shares: { duplicate: 0.03, drop: 0.02, late: 0.03 } });
  const acts = {
    duplicate: () => cloud.faults.duplicate(1),
    drop: () => cloud.faults.dropEvent(1),
    late: () => cloud.faults.delayEvent(between(random, 500, 4_000)),
  };
  // A delay lasts until it is reset, and applies to one event.
  watch.onQueued(() => cloud.faults.delayEvent(0));
  watch.onInvoke(() => {
    const drawn = draw();
    if (drawn === undefined) return;
    acts[drawn.deed]();
    did(context, drawn.deed);
  });
}

/**
 * Kills a process at a random moment of an invocation, including its cold start, as with `kill -9` or at
 * Lambda's memory limit.
 */
export function killProcesses(context: ChaosContext): void {
  const { stage, options, over } = context;
  const { watch, cloud, processorLabel } = stage;
  const random = seeded(options.seed, "kills");
  // Twice the rate of kills, because a kill after the invocation's end has no effect.
  const draws = {
    dispatcher: drawDeeds(context, { random, every: 6, shares: { killDispatcher: 0.1 } }),
    processor: drawDeeds(context, { random, every: 6, shares: { killProcessor: 0.07, memory: 0.03 } }),
  };
  const longestMs = { dispatcher: 500, processor: options.attemptSeconds * 400 };
  watch.onBroken((_, errorType) => {
    if (errorType === "Runtime.OutOfMemory") did(context, "memory");
  });
  watch.onInvoke(({ role, requestId, pid }) => {
    if (role === "recovery") return;
    const drawn = draws[role]();
    if (drawn === undefined) return;
    const { deed, delayMs } = drawn;
    const afterMs = delayMs(longestMs[role]);
    if (deed === "memory") return cloud.faults.kill(processorLabel, afterMs, "memory");
    void later(over.signal, afterMs, () => {
      if (!runningAs(stage, requestId)) return;
      did(context, deed);
      signalGroup(pid, "SIGKILL");
    });
  });
}

/** Kills the process of a poison job each time the job starts. */
export function poison(context: ChaosContext): void {
  onAttemptBegan(context, ({ invocation, workspaceId }) => {
    if (context.queue.caseIn(workspaceId)?.kind.isPoison !== true) return;
    did(context, "poison");
    signalGroup(invocation.pid, "SIGKILL");
  });
}

/** Durations of a random halt, and of one for a job that is to be halted until others consider it dead. */
const lengthsMs = {
  cut: [2_000, 8_000],
  frozen: [1_000, 12_000],
  "cut off": [5_500, 8_000],
  "at work": [3_000, 6_000],
  "before the post": [5_500, 9_000],
} as const;

const within = (random: Random, [low, high]: readonly [number, number]): number => between(random, low, high);

/** One attempt's process cannot reach the run store, while all others can. */
export function cutOffProcesses(context: ChaosContext): void {
  const { stage, queue, options, over, intervals } = context;
  const random = seeded(options.seed, "cuts");
  const draw = drawDeeds(context, { random, every: 4, shares: { cutReset: 0.015, cutSilent: 0.015 } });
  onAttemptBegan(context, ({ invocation: { environment }, workspaceId, attempt }) => {
    const isPlanned = attempt === 1 && queue.caseIn(workspaceId)?.halt === "cut off";
    const drawn = draw(isPlanned);
    if (drawn === undefined) return;
    const ms = within(random, lengthsMs[isPlanned ? "cut off" : "cut"]);
    void later(over.signal, drawn.delayMs(1_500), () => {
      const fromMs = Date.now();
      intervals.push({ environment, fromMs, toMs: fromMs + ms, isFrozen: false });
      stage.proxies.dynamodb.cutOff(environment, cuts[drawn.deed]);
      did(context, drawn.deed);
      // Also runs after the faults have stopped, because it ends by itself.
      setTimeout(() => stage.proxies.dynamodb.cutOff(environment, undefined), ms);
    });
  });
}

export function freezeProcesses(context: ChaosContext): void {
  freezeAttempts(context);
  freezeBeforePosts(context);
  freezeDispatchers(context);
}

interface Freeze {
  readonly deed: "frozenProcessor" | "frozenBeforePost" | "frozenDispatcher";
  readonly ms: number;
}

function freeze(context: ChaosContext, { environment, pid }: Invocation, { deed, ms }: Freeze): void {
  const nowMs = Date.now();
  const isFrozen = context.intervals.some((one) => one.environment === environment && one.toMs > nowMs);
  if (isFrozen || !context.stage.cloud.faults.freeze(pid, ms)) return;
  context.intervals.push({ environment, fromMs: nowMs, toMs: nowMs + ms, isFrozen: true });
  did(context, deed);
}

function freezeAttempts(context: ChaosContext): void {
  const { stage, queue, options, over } = context;
  const random = seeded(options.seed, "frozen attempts");
  const draw = drawDeeds(context, { random, every: 4, shares: { frozenProcessor: 0.03 } });
  onAttemptBegan(context, ({ invocation, workspaceId, attempt }) => {
    const isPlanned = attempt === 1 && queue.caseIn(workspaceId)?.halt === "at work";
    const drawn = draw(isPlanned);
    if (drawn === undefined) return;
    const ms = within(random, lengthsMs[isPlanned ? "at work" : "frozen"]);
    void later(over.signal, drawn.delayMs(options.attemptSeconds * 300), () => {
      if (runningAs(stage, invocation.requestId)) freeze(context, invocation, { deed: drawn.deed, ms });
    });
  });
}

/**
 * Freezes an attempt after the run store has accepted its record that the deliverables are being sent, and
 * before the attempt learns of it.
 */
function freezeBeforePosts(context: ChaosContext): void {
  const { stage, queue, options } = context;
  const random = seeded(options.seed, "frozen posts");
  const draw = drawDeeds(context, { random, every: 4, shares: { frozenBeforePost: 0.02 } });
  const seen = new Set<string>();
  stage.rowHistory.onWrite(({ runId, workspaceId, delivering, caller }) => {
    if (!delivering || seen.has(runId)) return;
    seen.add(runId);
    const isPlanned = queue.caseIn(workspaceId)?.halt === "before the post";
    const drawn = draw(isPlanned);
    if (drawn === undefined) return;
    const ms = within(random, lengthsMs[isPlanned ? "before the post" : "frozen"]);
    const invocation = stage.watch.running().find(({ environment }) => environment === caller);
    if (invocation?.role === "processor") freeze(context, invocation, { deed: drawn.deed, ms });
  });
}

function freezeDispatchers(context: ChaosContext): void {
  const { stage, options, over } = context;
  const random = seeded(options.seed, "frozen dispatchers");
  const draw = drawDeeds(context, { random, every: 4, shares: { frozenDispatcher: 0.015 } });
  stage.watch.onInvoke((invocation) => {
    const drawn = invocation.role === "dispatcher" ? draw() : undefined;
    if (drawn === undefined) return;
    const ms = within(random, lengthsMs.frozen);
    void later(over.signal, drawn.delayMs(300), () => {
      if (runningAs(stage, invocation.requestId)) freeze(context, invocation, { deed: drawn.deed, ms });
    });
  });
}
