import { pollingTimes, type PollingTimes } from "../lib/dispatch/polling.ts";
import type { GenerationMode, PollingMode } from "../lib/core/options.ts";
import { priceOf, type Prices } from "../lib/model/prices.ts";
import { modelPrices } from "./dated-table.ts";
import { timing } from "../lib/core/timing.ts";
import { formatPath, type Problem } from "./problems.ts";

/** The settings of one pool that must fit each other and the project's constants. */
export interface PoolTimes {
  readonly polling: PollingMode;
  readonly runLimitMinutes: number;
  readonly dispatcherTimeoutSeconds: number;
  readonly processorTimeoutSeconds: number;
}

/** Limits that no setting changes. */
export interface Bounds {
  readonly timing: Readonly<
    Record<
      | "scheduleMs"
      | "dispatchReserveMs"
      | "attemptReserveMs"
      | "hardReserveMs"
      | "runStoreLimitMs"
      | "invokeLimitMs"
      | "maxEventAgeMs"
      | "maxHeartbeatMs"
      | "maxStarts"
      | "maxContinuations"
      | "recoverHeartbeatLimitMs"
      | "recoverReportLimitMs",
      number
    >
  >;
  readonly pollingTimes: Readonly<Record<PollingMode, PollingTimes>>;
  /** The duration of a lease at Studio (Studio API, Lease job). */
  readonly studioLeaseMs: number;
  /** The minimum useful working time of an attempt. One model round takes tens of seconds. */
  readonly attemptWorkMs: number;
  /** Lambda's minimum for the age of an asynchronous event. */
  readonly eventAgeFloorMs: number;
  /** Lambda's maximum. */
  readonly maxTimeoutSeconds: number;
  /**
   * Lambda drops a call if it would run the same function more often than this in one chain (decisions/0008).
   */
  readonly recursionLimit: number;
  readonly recoveryTimeoutMs: number;
}

export const bounds: Bounds = {
  timing,
  pollingTimes,
  studioLeaseMs: 600_000,
  attemptWorkMs: 60_000,
  eventAgeFloorMs: 60_000,
  maxTimeoutSeconds: 900,
  recursionLimit: 16,
  recoveryTimeoutMs: 60_000,
};

/** A relation between durations in milliseconds: `left` must not exceed `right`. */
interface Row<Input> {
  readonly path: string;
  left(input: Input): number;
  right(input: Input): number;
  sentence(input: Input): string;
}

interface PoolInput extends Bounds {
  readonly pool: PoolTimes;
}

const seconds = (ms: number): string => `${ms / 1000} s`;
/** The working time of an attempt. */
const workMs = ({ pool, timing: { attemptReserveMs } }: PoolInput): number =>
  pool.processorTimeoutSeconds * 1000 - attemptReserveMs;
const attempts = ({ timing: { maxContinuations } }: PoolInput): number => maxContinuations + 1;
const runLimitMs = ({ pool }: PoolInput): number => pool.runLimitMinutes * 60_000;
const cycleMs = ({ pool, pollingTimes: modes }: PoolInput): number => modes[pool.polling].cycleMs;

const poolRows: readonly Row<PoolInput>[] = [
  {
    path: "polling",
    left: cycleMs,
    right: (input) => input.timing.scheduleMs,
    sentence: (input) =>
      `"${input.pool.polling}" polls for ${seconds(cycleMs(input))}, but timing.scheduleMs starts the next cycle after ` +
      `${seconds(input.timing.scheduleMs)}. Choose a polling mode with a shorter cycle.`,
  },
  {
    path: "dispatcher.timeoutSeconds",
    left: (input) => cycleMs(input) + input.timing.dispatchReserveMs,
    right: ({ pool }) => pool.dispatcherTimeoutSeconds * 1000,
    sentence: (input) =>
      `polling "${input.pool.polling}" polls for ${seconds(cycleMs(input))} and timing.dispatchReserveMs keeps ` +
      `${seconds(input.timing.dispatchReserveMs)} free after it, but the timeout is ${input.pool.dispatcherTimeoutSeconds} s. ` +
      `Give ${Math.ceil((cycleMs(input) + input.timing.dispatchReserveMs) / 1000)} or more, or a polling mode with a shorter cycle.`,
  },
  {
    path: "dispatcher.timeoutSeconds",
    left: ({ pool }) => pool.dispatcherTimeoutSeconds * 1000,
    right: (input) => 2 * input.timing.scheduleMs,
    sentence: (input) =>
      `is ${input.pool.dispatcherTimeoutSeconds}, but timing.scheduleMs starts a cycle every ` +
      `${seconds(input.timing.scheduleMs)}, and a cycle that hangs holds back the next ones. ` +
      `Give ${(2 * input.timing.scheduleMs) / 1000} or less.`,
  },
  {
    path: "processor.timeoutSeconds",
    left: (input) => input.timing.attemptReserveMs + input.attemptWorkMs,
    right: ({ pool }) => pool.processorTimeoutSeconds * 1000,
    sentence: (input) =>
      `is ${input.pool.processorTimeoutSeconds}, but timing.attemptReserveMs keeps ${seconds(input.timing.attemptReserveMs)} ` +
      `of it free and an attempt needs ${seconds(input.attemptWorkMs)} to work. ` +
      `Give ${Math.ceil((input.timing.attemptReserveMs + input.attemptWorkMs) / 1000)} or more.`,
  },
  {
    path: "runLimitMinutes",
    // Another row reports an attempt that is too short to work.
    left: (input) => (workMs(input) < input.attemptWorkMs ? 0 : runLimitMs(input)),
    right: (input) => attempts(input) * workMs(input),
    sentence: (input) =>
      `is ${input.pool.runLimitMinutes}, but timing.maxContinuations allows a run ${attempts(input)} attempts, each of which works for ` +
      `${seconds(workMs(input))}: processor.timeoutSeconds (${input.pool.processorTimeoutSeconds}) less timing.attemptReserveMs. ` +
      `Give ${Math.floor((attempts(input) * workMs(input)) / 60_000)} or less${longerAttempts(input)}.`,
  },
];

/** An alternative remedy, if Lambda allows longer attempts. */
function longerAttempts(input: PoolInput): string {
  const neededSeconds = Math.ceil(
    (runLimitMs(input) / attempts(input) + input.timing.attemptReserveMs) / 1000,
  );
  return neededSeconds <= input.maxTimeoutSeconds
    ? `, or a processor.timeoutSeconds of ${neededSeconds} or more`
    : "";
}

const timingRows: readonly Row<Bounds>[] = [
  {
    path: "timing.maxEventAgeMs",
    left: (input) => 2 * input.timing.maxEventAgeMs,
    right: (input) => input.studioLeaseMs,
    sentence: (input) =>
      `timing.maxEventAgeMs (${seconds(input.timing.maxEventAgeMs)}) is more than half of Studio's lease ` +
      `(${seconds(input.studioLeaseMs)}): a late attempt would begin with too little of its lease left.`,
  },
  {
    path: "timing.maxEventAgeMs",
    left: (input) => input.eventAgeFloorMs,
    right: (input) => input.timing.maxEventAgeMs,
    sentence: (input) =>
      `timing.maxEventAgeMs (${seconds(input.timing.maxEventAgeMs)}) is below Lambda's floor for an event's age ` +
      `(${seconds(input.eventAgeFloorMs)}).`,
  },
  {
    path: "timing.hardReserveMs",
    left: (input) => 2 * input.timing.hardReserveMs,
    right: (input) => input.timing.attemptReserveMs,
    sentence: (input) =>
      `timing.hardReserveMs (${seconds(input.timing.hardReserveMs)}) takes more than half of timing.attemptReserveMs ` +
      `(${seconds(input.timing.attemptReserveMs)}): an attempt at its deadline would have no time to report.`,
  },
  {
    path: "timing.attemptReserveMs",
    left: ({ timing: { runStoreLimitMs, invokeLimitMs } }) => 3 * runStoreLimitMs + invokeLimitMs,
    right: (input) => input.timing.attemptReserveMs,
    sentence: ({ timing: { attemptReserveMs, runStoreLimitMs, invokeLimitMs } }) =>
      `timing.attemptReserveMs (${seconds(attemptReserveMs)}) is shorter than three times timing.runStoreLimitMs (${seconds(runStoreLimitMs)}) and ` +
      `timing.invokeLimitMs (${seconds(invokeLimitMs)}) together: an attempt's last write, its last heartbeat and its continuation could outlast the function.`,
  },
  {
    path: "timing.hardReserveMs",
    left: (input) => 2 * input.timing.runStoreLimitMs,
    right: (input) => input.timing.hardReserveMs,
    sentence: ({ timing: { hardReserveMs, runStoreLimitMs } }) =>
      `timing.hardReserveMs (${seconds(hardReserveMs)}) is shorter than twice timing.runStoreLimitMs (${seconds(runStoreLimitMs)}): ` +
      `an attempt's last heartbeat and the write that finishes its run could outlast the function.`,
  },
  {
    path: "timing.maxHeartbeatMs",
    left: (input) => 2 * input.timing.maxHeartbeatMs,
    right: (input) => input.studioLeaseMs,
    sentence: (input) =>
      `timing.maxHeartbeatMs (${seconds(input.timing.maxHeartbeatMs)}) is more than half of Studio's lease ` +
      `(${seconds(input.studioLeaseMs)}): one lost heartbeat would cost the lease.`,
  },
  {
    path: "timing.maxContinuations",
    // A run's invocations: its starts and continuations. One below the limit, because Lambda gives it as
    // "about".
    left: ({ timing: { maxContinuations, maxStarts } }) => maxContinuations + maxStarts + 1,
    right: (input) => input.recursionLimit,
    sentence: ({ timing: { maxContinuations, maxStarts }, recursionLimit }) =>
      `timing.maxContinuations (${maxContinuations}) and timing.maxStarts (${maxStarts}) let a run call its processor ` +
      `${maxContinuations + maxStarts} times, but Lambda takes about ${recursionLimit} for a loop and drops the call.`,
  },
  {
    path: "recoveryTimeoutMs",
    left: ({ timing: { recoverHeartbeatLimitMs, recoverReportLimitMs, hardReserveMs } }) =>
      recoverHeartbeatLimitMs + recoverReportLimitMs + hardReserveMs,
    right: (input) => input.recoveryTimeoutMs,
    sentence: ({
      recoveryTimeoutMs,
      timing: { recoverHeartbeatLimitMs, recoverReportLimitMs, hardReserveMs },
    }) =>
      `recoveryTimeoutMs (${seconds(recoveryTimeoutMs)}) does not hold timing.recoverHeartbeatLimitMs (${seconds(recoverHeartbeatLimitMs)}), ` +
      `timing.recoverReportLimitMs (${seconds(recoverReportLimitMs)}) and timing.hardReserveMs (${seconds(hardReserveMs)}): ` +
      `Lambda would end recovery before it has finished the run.`,
  },
];

interface InferenceChoices {
  readonly mode: GenerationMode;
  readonly store: boolean;
}

/** Background mode requires that the provider stores responses. */
export function brokenInferenceRelations({ mode, store }: InferenceChoices): readonly Problem[] {
  if (store || mode !== "background") return [];
  const sentence =
    'is "background", which keeps responses at the provider, but inference.store is false. ' +
    'Give "auto" or "streaming", or set inference.store to true.';
  return [{ path: "inference.mode", sentence }];
}

/** Reports two kinds of instructions at once, because it is unclear which should apply. */
export function brokenInstructions(given: {
  readonly instructions?: unknown;
  readonly instructionsFile?: unknown;
}): readonly Problem[] {
  if (given.instructions === undefined || given.instructionsFile === undefined) return [];
  const sentence = "gives instructions, and so does inference.instructions. Leave one of them out.";
  return [{ path: "inference.instructionsFile", sentence }];
}

interface Spending {
  readonly inference: { readonly model: string; readonly summaryModel?: string | undefined };
  readonly spend: { readonly prices: Prices };
}

/**
 * Reports a daily cap without a price for the model, because it could never be reached. `caps` has an entry
 * per pool.
 */
export function brokenSpendRelations(
  { inference, spend }: Spending,
  caps: readonly (number | undefined)[],
): readonly Problem[] {
  const prices = { ...modelPrices, ...spend.prices };
  const { model, summaryModel = model } = inference;
  const unknown = [...new Set([model, summaryModel])].filter((name) => priceOf(prices, name) === undefined);
  return caps.flatMap((capUsd, index) =>
    (capUsd === undefined ? [] : unknown).map((name) => ({
      path: formatPath(["pools", index, "dailyCapUsd"]),
      sentence: `is ${capUsd}, but the price of the model "${name}" is unknown. Give its prices in spend.prices, or leave the cap out.`,
    })),
  );
}

/** Problems of one pool. Their paths are relative to it. */
export const brokenPoolRelations = (pool: PoolTimes, given: Bounds = bounds): readonly Problem[] =>
  broken(poolRows, { ...given, pool });

export const brokenTimingRelations = (given: Bounds = bounds): readonly Problem[] =>
  broken(timingRows, given);

/** Reports names that differ in hyphens only, because construct ids contain no hyphens. */
export function brokenNames(names: readonly (string | undefined)[]): readonly Problem[] {
  const bare = names.map((name) => name?.replaceAll("-", ""));
  return bare.flatMap((name, index) => {
    const first = bare.indexOf(name);
    if (name === undefined || first === index) return [];
    const sentence =
      names[first] === names[index]
        ? `pools[${first}].name is "${names[index]}" too. Give each pool a name of its own.`
        : `"${names[index]}" differs from pools[${first}].name ("${names[first]}") in hyphens only. Give a more distinct name.`;
    return [{ path: formatPath(["pools", index, "name"]), sentence }];
  });
}

function broken<Input>(rows: readonly Row<Input>[], input: Input): readonly Problem[] {
  return rows
    .filter((row) => row.left(input) > row.right(input))
    .map((row) => ({ path: row.path, sentence: row.sentence(input) }));
}
