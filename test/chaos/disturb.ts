import { deeds } from "./faults.ts";
import { doubleLeases, postSeconds, spoilHeartbeats, takeLeases, tellOfShortLeases } from "./leases.ts";
import { modelRules } from "./model-faults.ts";
import { clearBackoffs } from "./operator.ts";
import { cutOffProcesses, disturbEvents, freezeProcesses, killProcesses, poison } from "./processes.ts";
import { has, type ChaosContext } from "./context.ts";
import { studioRules } from "./studio-faults.ts";
import { timetableOf } from "./timetable.ts";
import { add } from "./watch.ts";

export type Disturbance = ReturnType<typeof disturb>;

/**
 * Applies faults by a plan that the seed determines: rates and random numbers. Which call or process a fault
 * hits also depends on the machine's timing, so two runs of a seed are similar but not equal.
 */
export function disturb(started: Omit<ChaosContext, "done" | "intervals" | "over">) {
  const context: ChaosContext = { ...started, done: new Map(), intervals: [], over: new AbortController() };
  const { stage, options } = context;
  const { cloud, studio, model, proxies } = stage;
  for (const rule of studioRules(options)) studio.faults.add(rule);
  for (const rule of modelRules(options)) model.faults.add(rule);
  const callRate = has(context, "calls") ? options.faultRate : 0;
  for (const proxy of Object.values(proxies)) proxy.setRate(callRate);
  if (has(context, "events")) disturbEvents(context);
  if (options.killRate > 0 && options.only.has("kills")) killProcesses(context);
  if (has(context, "kills")) poison(context);
  if (has(context, "stolen-lease")) takeLeases(context);
  if (has(context, "doubled-lease")) doubleLeases(context);
  if (has(context, "second-message")) postSeconds(context);
  if (has(context, "odd-body")) spoilHeartbeats(context);
  if (has(context, "short-lease")) tellOfShortLeases(context);
  if (has(context, "cut-off")) cutOffProcesses(context);
  if (has(context, "frozen")) freezeProcesses(context);
  const operator = clearBackoffs(context);
  const timetable = timetableOf(context);
  let working: Promise<void> = Promise.resolve();
  return {
    /** The number of disturbances other than faults of calls, by name. */
    done: () => withDoubled(context),
    /** Times in which a process was frozen, or could not reach the run store. */
    intervals: context.intervals,
    /** The longest wait that the pool was asked for. */
    longestHoldMs: operator.longestHoldMs,
    /** Does what is due once this share of the jobs has ended. */
    progressed(share: number) {
      while (timetable[0] && timetable[0].at <= share) {
        const { act } = timetable.shift()!;
        working = working.then(act);
      }
    },
    /** Stops all faults and undoes what was started. */
    async stop() {
      timetable.length = 0;
      context.over.abort();
      studio.faults.clear();
      model.faults.clear();
      cloud.faults.delayEvent(0);
      for (const proxy of Object.values(proxies)) proxy.setRate(0);
      await working;
      for (const proxy of Object.values(proxies)) proxy.setOutage(undefined);
      studio.faults.clear();
      model.faults.clear();
      await operator.stop();
    },
  };
}

/** A job that was offered again counts when somebody leased it. */
function withDoubled({ done, stage }: ChaosContext): ReadonlyMap<string, number> {
  const all = new Map(done);
  for (const { end } of stage.studio.leases()) {
    if (end === "doubled") add(all, deeds.doubledSame[1]);
    if (end === "moved") add(all, deeds.doubledOther[1]);
  }
  return all;
}
