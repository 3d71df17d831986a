import { deeds } from "./faults.ts";
import { cutOffProcesses, freezeProcesses } from "./halts.ts";
import { doubleLeases, postSeconds, spoilHeartbeats, takeLeases, tellOfShortLeases } from "./leases.ts";
import { modelRules } from "./model-faults.ts";
import { clearBackoffs } from "./operator.ts";
import { disturbEvents, killProcesses, poison } from "./processes.ts";
import { has, type Interval, type Scene } from "./scene.ts";
import { studioRules } from "./studio-faults.ts";
import { timetableOf } from "./timetable.ts";
import { add } from "./watch.ts";

export interface Disturbance {
  /** The number of disturbances other than faults of calls, by name. */
  done(): ReadonlyMap<string, number>;
  /** Times in which a process was frozen, or could not reach the run store. */
  readonly intervals: readonly Interval[];
  /** The longest wait that the pool was asked for. */
  longestHoldMs(): number;
  /** Does what is due once this share of the jobs has ended. */
  progressed(share: number): void;
  /** Stops all faults and undoes what was started. */
  stop(): Promise<void>;
}

/**
 * Applies faults by a plan that the seed determines: rates and random numbers. Which call or process a fault
 * hits also depends on the machine's timing, so two runs of a seed are similar but not equal.
 */
export function disturb(started: Omit<Scene, "done" | "intervals" | "over">): Disturbance {
  const scene: Scene = { ...started, done: new Map(), intervals: [], over: new AbortController() };
  const { stage, options } = scene;
  const { cloud, studio, model, proxies } = stage;
  for (const rule of studioRules(options)) studio.faults.add(rule);
  for (const rule of modelRules(options)) model.faults.add(rule);
  const callRate = has(scene, "calls") ? options.faultRate : 0;
  for (const proxy of Object.values(proxies)) proxy.setRate(callRate);
  if (has(scene, "events")) disturbEvents(scene);
  if (options.killRate > 0 && options.only.has("kills")) killProcesses(scene);
  if (has(scene, "kills")) poison(scene);
  if (has(scene, "stolen-lease")) takeLeases(scene);
  if (has(scene, "doubled-lease")) doubleLeases(scene);
  if (has(scene, "second-message")) postSeconds(scene);
  if (has(scene, "odd-body")) spoilHeartbeats(scene);
  if (has(scene, "short-lease")) tellOfShortLeases(scene);
  if (has(scene, "cut-off")) cutOffProcesses(scene);
  if (has(scene, "frozen")) freezeProcesses(scene);
  const operator = clearBackoffs(scene);
  const timetable = timetableOf(scene);
  let working: Promise<void> = Promise.resolve();
  return {
    done: () => withDoubled(scene),
    intervals: scene.intervals,
    longestHoldMs: operator.longestHoldMs,
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
      model.faults.clear();
      await operator.stop();
    },
  };
}

/** A job that was offered again counts when somebody leased it. */
function withDoubled({ done, stage }: Scene): ReadonlyMap<string, number> {
  const all = new Map(done);
  for (const { end } of stage.studio.leases()) {
    if (end === "doubled") add(all, deeds.doubledSame[1]);
    if (end === "moved") add(all, deeds.doubledOther[1]);
  }
  return all;
}
