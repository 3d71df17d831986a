import { between, seeded } from "./random.ts";
import { drawDeeds, did, later, onAttemptBegan, type ChaosContext } from "./context.ts";
import { endRoutes, heartbeatRoute, lossFaults, oddBodies } from "./studio-faults.ts";

/** Calls the listener when a workspace's run starts its first attempt. */
const onRunBegan = (context: ChaosContext, listener: (workspaceId: string) => void): void =>
  onAttemptBegan(context, ({ workspaceId, attempt }) => {
    if (attempt === 1) listener(workspaceId);
  });

const thieves = { stolen: "other", putBack: "nobody", expired: "time" } as const;

/**
 * Takes away leases of runs in their first attempt: gives them to another holder, returns the job to the
 * queue, or lets the lease expire.
 */
export function takeLeases(context: ChaosContext): void {
  const { studio } = context.stage;
  const random = seeded(context.options.seed, "leases");
  const shares = { stolen: 0.003, putBack: 0.003, expired: 0.003 };
  const draw = drawDeeds(context, { random, every: 5, shares });
  onRunBegan(context, (workspaceId) => {
    const drawn = draw();
    if (drawn === undefined) return;
    void later(context.over.signal, drawn.delayMs(1_500), () => {
      const job = studio.snapshot().find((one) => one.workspaceId === workspaceId);
      if (job?.state !== "leased") return;
      studio.steal(workspaceId, thieves[drawn.deed]);
      did(context, drawn.deed);
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
    const name = "end done, answer lost, a second message waits";
    const fault = lossFaults[losses++ % lossFaults.length]!;
    for (const route of endRoutes) studio.faults.add({ name, route, workspaceId, times: 1, fault });
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
