import type { LeaseThief } from "../../local/studio/jobs.ts";
import { between, seeded } from "./random.ts";
import { did, dueAt, isDone, later, plannedEvery, plannedMs, scaled, type ChaosContext } from "./context.ts";
import type { Stage } from "./stage.ts";
import { endRoutes, heartbeatRoute, lossFaults, oddBodies } from "./studio-faults.ts";

const takenShare = 0.007;
const thieves: readonly LeaseThief[] = ["other", "nobody", "time"];
const deedOf = { other: "stolen", nobody: "putBack", time: "expired" } as const;

const isLeased = ({ studio }: Stage, workspaceId: string): boolean =>
  studio.snapshot().some((one) => one.workspaceId === workspaceId && one.state === "leased");

/** Calls the listener when a workspace's run starts its first attempt. */
function onRunBegan({ stage, over }: ChaosContext, listener: (workspaceId: string) => void): void {
  stage.watch.onLine((line) => {
    const { workspaceId } = line;
    if (line.message !== "attempt_began" || line["attempt"] !== 1 || workspaceId === undefined) return;
    if (!over.signal.aborted) listener(workspaceId);
  });
}

/**
 * Takes away leases of runs in their first attempt: gives them to another holder, returns the job to the
 * queue, or lets the lease expire.
 */
export function takeLeases(context: ChaosContext): void {
  const { stage, options, over } = context;
  const random = seeded(options.seed, "leases");
  let [runs, taken] = [0, 0];
  onRunBegan(context, (workspaceId) => {
    runs += 1;
    const owed = thieves.filter((one) => !isDone(context, deedOf[one]));
    const due = dueAt(owed, runs, plannedEvery.lease);
    const share = scaled(context, takenShare);
    if (random() >= share && taken >= share * runs - 0.5 && due === undefined) return;
    const thief = due ?? thieves[Math.floor(random() * thieves.length)]!;
    const afterMs = between(random, 0, due === undefined ? 1_500 : plannedMs);
    void later(over.signal, afterMs, () => {
      if (!isLeased(stage, workspaceId)) return;
      stage.studio.steal(workspaceId, thief);
      taken += 1;
      did(context, deedOf[thief]);
    });
  });
}

/** Offers planned jobs again while their first run works. */
export function doubleLeases(context: ChaosContext): void {
  const { stage, options, queue, over } = context;
  const random = seeded(options.seed, "doubled");
  const offered = new Set<string>();
  onRunBegan(context, (workspaceId) => {
    const again = queue.caseIn(workspaceId)?.again;
    if (again === undefined || offered.has(workspaceId)) return;
    offered.add(workspaceId);
    void later(over.signal, between(random, 0, 800), () => stage.studio.plan.offerAgain(workspaceId, again));
  });
}

/** Sends second messages before the first job ends, and loses answers to the call that ends it. */
export function postSeconds(context: ChaosContext): void {
  const { stage, options, queue, over } = context;
  const { studio } = stage;
  const random = seeded(options.seed, "seconds");
  let losses = 0;
  const loseEnd = (workspaceId: string): void => {
    const fault = lossFaults[losses++ % lossFaults.length]!;
    for (const route of endRoutes)
      studio.faults.add({ name: loseEndName, route, workspaceId, times: 1, fault });
    did(context, "endUnanswered");
  };
  const come = (workspaceId: string, deed: "secondQueued" | "secondRunning"): void => {
    const second = queue.postSecond(workspaceId);
    if (second === undefined) return;
    did(context, deed);
    if (second.isEndLost) loseEnd(workspaceId);
  };
  queue.onQueued(({ workspaceId }) => {
    if (queue.secondIn(workspaceId)?.comes === "at once") come(workspaceId, "secondQueued");
  });
  onRunBegan(context, (workspaceId) => {
    if (queue.secondIn(workspaceId)?.comes === "later")
      void later(over.signal, between(random, 0, 500), () => come(workspaceId, "secondRunning"));
  });
}

export const loseEndName = "end done, answer lost, a second message waits";

/** Gives unusual answers to every heartbeat of some jobs, while Studio extends the lease. */
export function spoilHeartbeats(context: ChaosContext): void {
  context.queue.onQueued(({ workspaceId, one }) => {
    const fault = oddBodies[one.oddHeartbeats ?? ""];
    if (fault === undefined || context.over.signal.aborted) return;
    const name = `every heartbeat's 200 with ${one.oddHeartbeats}`;
    context.stage.studio.faults.addFirst({ name, route: heartbeatRoute, workspaceId, fault });
    did(context, "oddHeartbeats");
  });
}

/** Only counts the short leases; the queue creates them. */
export function tellOfShortLeases(context: ChaosContext): void {
  context.queue.onQueued(({ one }) => {
    if (one.leaseMs === 5_000) did(context, "fiveSeconds");
    if (one.leaseMs === 50) did(context, "fiftyMs");
  });
}
