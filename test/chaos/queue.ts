import { setTimeout as pause } from "node:timers/promises";
import type { Case } from "./jobs.ts";
import { textOf } from "./jobs.ts";
import type { PlannedCase } from "./plan.ts";
import type { Stage } from "./stage.ts";

const lookMs = 200;
/** For a job whose first leases expire at once. */
const fiftyMsLeases = 2;

export interface QueuedCase {
  readonly workspaceId: string;
  readonly one: PlannedCase;
}

/**
 * Queues the first jobs, `ahead` more than have ended, and counts those that have. A second message is sent
 * at the latest when its first job has ended. A short queue lets second messages run soon.
 */
export function queueCases(stage: Stage, planned: readonly PlannedCase[], ahead = Infinity) {
  const { studio } = stage;
  const before = studio.jobs().length;
  const unqueued: PlannedCase[] = [];
  const seconds = new Map<string, PlannedCase>();
  const workspaces = new Map<string, string>();
  const firsts = new Map<string, PlannedCase>();
  const listeners: ((queued: QueuedCase) => void)[] = [];
  let [caseCount, queuedCount] = [0, 0];

  const add = (cases: readonly PlannedCase[]): void => {
    caseCount += cases.length;
    for (const one of cases)
      if (one.follows === undefined) unqueued.push(one);
      else seconds.set(one.follows, one);
  };
  add(planned);

  const secondIn = (workspaceId: string): PlannedCase | undefined =>
    seconds.get(firsts.get(workspaceId)?.tag ?? "");
  const postSecond = (workspaceId: string): PlannedCase | undefined => {
    const second = secondIn(workspaceId);
    if (second?.follows === undefined || !seconds.delete(second.follows)) return undefined;
    workspaces.set(second.tag, workspaceId);
    studio.post(workspaceId, textOf(second));
    queuedCount += 1;
    return second;
  };
  const queueNext = (one: PlannedCase): void => {
    const workspaceId = studio.queueJob({ text: textOf(one), target: "user" });
    queuedCount += 1;
    workspaces.set(one.tag, workspaceId);
    firsts.set(workspaceId, one);
    if (one.leaseMs !== undefined)
      studio.plan.shorten(workspaceId, one.leaseMs, one.leaseMs === 50 ? fiftyMsLeases : undefined);
    for (const tell of listeners) tell({ workspaceId, one });
  };
  const look = (): number => {
    const ended = studio
      .jobs()
      .slice(before)
      .filter(({ state }) => state === "completed" || state === "failed");
    for (const { workspaceId } of ended) postSecond(workspaceId);
    while (unqueued.length > 0 && queuedCount - ended.length < ahead) queueNext(unqueued.shift()!);
    return ended.length / caseCount;
  };
  return {
    /** The workspace's first job. */
    caseIn: (workspaceId: string) => firsts.get(workspaceId),
    workspaceOf: ({ tag }: Case) => workspaces.get(tag) ?? "",
    /** Calls the listener for each first job that is queued. */
    onQueued: (listener: (queued: QueuedCase) => void) => void listeners.push(listener),
    /** The workspace's second message, if it has not been sent. */
    secondIn,
    /** Sends the second message now, if it has not been sent. */
    postSecond,
    /** Appends more jobs. */
    add,
    /** `false` if that share of the jobs has not ended within `limitMs`. */
    async until(wanted: number, limitMs: number, onLook?: (share: number) => void): Promise<boolean> {
      for (const untilMs = Date.now() + limitMs; ; await pause(lookMs)) {
        const share = look();
        if (share >= wanted) return true;
        if (Date.now() > untilMs) return false;
        onLook?.(share);
      }
    },
  };
}

export type CaseQueue = ReturnType<typeof queueCases>;
