import { signalGroup } from "../../local/cloud/warden.ts";
import type { Deed } from "./faults.ts";
import { between, seeded } from "./random.ts";
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

/** Shares of the events that are duplicated, lost or late, and of out-of-memory kills among all kills. */
const shares = { duplicate: 0.03, drop: 0.02, late: 0.03, memory: 0.3 };

type Fate = Extract<Deed, "duplicate" | "drop" | "late">;

/** Duplicates, drops and delays events of any function. Each invocation decides about the next event. */
export function disturbEvents(context: ChaosContext): void {
  const { cloud, watch } = context.stage;
  const random = seeded(context.options.seed, "events");
  const owed: Fate[] = ["duplicate", "drop", "late"];
  const acts = {
    duplicate: () => cloud.faults.duplicate(1),
    drop: () => cloud.faults.dropEvent(1),
    late: () => cloud.faults.delayEvent(between(random, 500, 4_000)),
  };
  let invocations = 0;
  // A delay lasts until it is reset, and applies to one event.
  watch.onQueued(() => cloud.faults.delayEvent(0));
  watch.onInvoke(() => {
    if (context.over.signal.aborted) return;
    const due = dueAt(owed, ++invocations, plannedEvery.event);
    if (due !== undefined) owed.shift();
    const act = due ?? fateOf(context, random());
    if (act === undefined) return;
    acts[act]();
    did(context, act);
  });
}

function fateOf(context: ChaosContext, die: number): Fate | undefined {
  const [duplicate, drop, late] = [shares.duplicate, shares.drop, shares.late].map((one) =>
    scaled(context, one),
  );
  if (die < duplicate!) return "duplicate";
  if (die < duplicate! + drop!) return "drop";
  return die < duplicate! + drop! + late! ? "late" : undefined;
}

const killsOf = { dispatcher: ["killDispatcher"], processor: ["killProcessor", "memory"] } as const;

/**
 * Kills a process at a random moment of an invocation, including its cold start, as with `kill -9` or at
 * Lambda's memory limit.
 */
export function killProcesses(context: ChaosContext): void {
  const { stage, options, over } = context;
  const { watch, cloud, labels } = stage;
  const random = seeded(options.seed, "kills");
  const counts = { dispatcher: { of: 0, killed: 0 }, processor: { of: 0, killed: 0 } };
  watch.onBroken((_, errorType) => {
    if (errorType !== "Runtime.OutOfMemory") return;
    counts.processor.killed += 1;
    did(context, "memory");
  });
  const longestMs = { dispatcher: 500, processor: options.attemptSeconds * 400 };

  watch.onInvoke((invocation) => {
    const { role, requestId } = invocation;
    if (over.signal.aborted || role === "recovery") return;
    const count = counts[role];
    count.of += 1;
    // A kill after the invocation's end has no effect, so misses are made up for.
    const isBehind = count.killed < options.killRate * count.of - 1;
    const owed = killsOf[role].filter((kind) => !isDone(context, kind));
    const due = dueAt(owed, count.of, plannedEvery.kill);
    if (random() >= options.killRate && !isBehind && due === undefined) return;
    const afterMs = between(random, 0, due === undefined ? longestMs[role] : plannedMs);
    const byDice = role === "processor" && random() < shares.memory ? "memory" : killsOf[role][0];
    const kind = due ?? byDice;
    if (kind === "memory") {
      return cloud.faults.kill(labels.processor, afterMs, "memory");
    }
    void later(over.signal, afterMs, () => {
      if (!runningAs(stage, requestId)) return;
      count.killed += 1;
      did(context, kind);
      signalGroup(invocation.pid, "SIGKILL");
    });
  });
}

/** Kills the process of a poison job each time the job starts. */
export function poison(context: ChaosContext): void {
  const { stage, queue, over } = context;
  stage.watch.onLine((line, requestId) => {
    const { workspaceId } = line;
    if (line.message !== "attempt_began" || workspaceId === undefined || over.signal.aborted) return;
    const isPoison = queue.caseIn(workspaceId)?.kind.isPoison === true;
    const invocation = isPoison ? runningAs(stage, requestId) : undefined;
    if (!invocation) return;
    did(context, "poison");
    signalGroup(invocation.pid, "SIGKILL");
  });
}
