import { timing } from "../../lib/core/timing.ts";
import { leaseFloorPercent } from "../company-schema.ts";
import { bounds } from "../relations.ts";
import type { PoolSettings, Settings } from "../settings.ts";
import type { AlarmInput, AlarmRow } from "./alarm-row.ts";

const once = { breaking: 1, of: 1 } as const;
const fiveMinutes = 300;
const quarterHour = 900;
/** One bad cycle recovers in the next. This many in a row do not. */
const deadAfterCycles = ({ settings }: AlarmInput): number => settings.monitoring.thresholds.noGoodPollCycles;

const isCapped = (pool: PoolSettings): boolean => pool.dailyCapUsd !== undefined;
/**
 * For metrics that are reported only when something is wrong: 0 is never reported, so missing data is good.
 */
const quiet = { comparison: "atLeast", missing: "notBreaching" } as const;

/**
 * The minimum number of ended runs for the failure alarm. One failed run alone must not reach the percentage,
 * and fewer than five runs are too few to judge. With 20 percent, 1 of 6 is 17 percent and 2 of 6 raise the
 * alarm.
 */
const fewestEnded = ({ settings }: AlarmInput): number =>
  Math.max(5, Math.floor(100 / settings.monitoring.failurePercent) + 1);

/** Names the setting of a threshold, in place of what the default is derived from. */
const bySetting = (name: keyof Settings["monitoring"]["thresholds"]): string =>
  ` (monitoring.thresholds.${name}).`;

const spending = (percent: 80 | 100) =>
  ({
    where: isCapped,
    sources: { spent: { from: "runner", metric: "DailySpendPercent", statistic: "Maximum" } },
    periodSeconds: fiveMinutes,
    periods: once,
    comparison: "atLeast",
    // While nothing is reported, the day's spending does not go down.
    missing: "ignore",
    limit: ({ pool }: AlarmInput) => ({
      threshold: percent,
      when: `at ${percent} % of dailyCapUsd (${pool.dailyCapUsd} USD) in one UTC day.`,
    }),
  }) as const;

/** Every alarm of a pool. The ids are anchors in docs/runbook.md and names on the command line. */
export const alarmRows = [
  {
    id: "NoGoodPoll",
    pages: true,
    lean: true,
    sources: { good: { from: "runner", metric: "GoodPolls", statistic: "Sum" } },
    // Uses periods of one minute: for a long period CloudWatch waits for late data and would alarm a quarter
    // of an hour later.
    periodSeconds: timing.scheduleMs / 1000,
    periods: (input: AlarmInput) => ({ breaking: deadAfterCycles(input), of: deadAfterCycles(input) }),
    comparison: "below",
    // A dispatcher that does not run reports nothing, so missing data is bad.
    missing: "breaching",
    limit: (input) => ({
      threshold: 1,
      when: `when none of ${deadAfterCycles(input)} cycles in a row (one a minute) was good; cycles that report nothing count as bad.`,
    }),
    means:
      "The pool is not working: no dispatch cycle reached Studio, and none had a valid reason to skip it. Jobs wait in Studio's queue.",
    lookAt: "the cycles by reason: no key yet, a refused key, Studio down, or a schedule that is off.",
    command: "doctor",
  },
  {
    id: "KeysRefused",
    pages: true,
    lean: true,
    sources: { refused: { from: "runner", metric: "KeysRefused", statistic: "Sum" } },
    periodSeconds: fiveMinutes,
    periods: once,
    ...quiet,
    limit: () => ({ threshold: 1, when: "at the first refusal: a refused key does not recover by itself." }),
    means: "Studio or the model's provider refuses a key, also after the secret was read again.",
    lookAt:
      "the log's key_refused, model_key_refused and model_access_refused: they say which key, or what Bedrock does not allow.",
    command: "doctor",
  },
  {
    id: "FailureRate",
    pages: true,
    lean: false,
    sources: {
      failed: { from: "runner", metric: "RunsFailed", statistic: "Sum" },
      // Every run reports its duration, whatever its outcome, so this has a value wherever `failed` has one.
      ended: { from: "runner", metric: "RunSeconds", statistic: "SampleCount" },
    },
    expression: (input) => `IF(ended >= ${fewestEnded(input)}, 100 * failed / ended, 0)`,
    periodSeconds: quarterHour,
    periods: once,
    ...quiet,
    limit: (input) => ({
      threshold: input.settings.monitoring.failurePercent,
      when: `when ${input.settings.monitoring.failurePercent} % (monitoring.failurePercent) or more of at least ${fewestEnded(input)} runs that ended in 15 minutes have failed; one failed run alone never does it, and cancelled runs do not count as failed.`,
    }),
    means: "Too many jobs fail.",
    lookAt: "the outcomes by reason and the saved query Failures by reason.",
    command: "jobs --state failed",
  },
  {
    id: "LostLeases",
    pages: false,
    lean: false,
    sources: { lost: { from: "runner", metric: "RunsLost", statistic: "Sum" } },
    periodSeconds: quarterHour,
    periods: once,
    ...quiet,
    limit: ({ settings, pool }) => {
      const { lostLeases } = settings.monitoring.thresholds;
      if (lostLeases !== undefined)
        return {
          threshold: lostLeases,
          when: `at ${lostLeases} lost runs in 15 minutes${bySetting("lostLeases")}`,
        };
      const threshold = Math.max(2, Math.ceil(pool.concurrency / 10));
      return {
        threshold,
        when: `at ${threshold} lost runs in 15 minutes: a tenth of concurrency (${pool.concurrency}), at least 2, as a user may delete a workspace.`,
      };
    },
    means: "Runs lose their lease. Their jobs go back to Studio's queue and are paid for again.",
    lookAt: "heartbeats failed and the lost runs by reason.",
    command: "jobs --state lost",
  },
  {
    id: "Restarts",
    pages: false,
    lean: false,
    sources: { restarts: { from: "runner", metric: "Restarts", statistic: "Sum" } },
    periodSeconds: quarterHour,
    periods: once,
    ...quiet,
    limit: ({ settings, pool }) => {
      const { restarts } = settings.monitoring.thresholds;
      if (restarts !== undefined)
        return {
          threshold: restarts,
          when: `at ${restarts} restarts in 15 minutes${bySetting("restarts")}`,
        };
      const threshold = Math.max(timing.maxStarts, Math.ceil(pool.concurrency / 5));
      return {
        threshold,
        when: `at ${threshold} restarts in 15 minutes: a fifth of concurrency (${pool.concurrency}), at least ${timing.maxStarts}, which is more than one job alone can cause.`,
      };
    },
    means: `Attempts crash, run out of memory or time, or never start. Each is restarted, up to ${timing.maxStarts} starts a run.`,
    lookAt: "restarts by reason, memory used and the processor's errors.",
    command: "logs --function processor",
  },
  {
    id: "LeaseNearlyGone",
    pages: false,
    lean: false,
    sources: { left: { from: "runner", metric: "LeaseLeftPercent", statistic: "Minimum" } },
    periodSeconds: fiveMinutes,
    periods: once,
    comparison: "below",
    missing: "notBreaching",
    limit: ({ settings }) => {
      const percent = settings.monitoring.thresholds.leaseLeftPercent;
      const when = `when an attempt starts with less than ${percent} % of its lease`;
      if (percent !== leaseFloorPercent)
        return { threshold: percent, when: `${when}${bySetting("leaseLeftPercent")}` };
      return {
        threshold: percent,
        when: `${when}: what is left of ${bounds.studioLeaseMs / 60_000} minutes after an event has waited its maximum age of ${timing.maxEventAgeMs / 60_000}.`,
      };
    },
    means: "Attempts start so late that their lease is nearly over.",
    lookAt: "the functions' throttles and the account's free concurrency.",
    command: "doctor",
  },
  {
    id: "RunTimeNearLimit",
    pages: false,
    lean: false,
    sources: { longest: { from: "runner", metric: "RunSeconds", statistic: "Maximum" } },
    periodSeconds: quarterHour,
    periods: once,
    ...quiet,
    limit: ({ settings, pool }) => {
      const percent = settings.monitoring.thresholds.runTimePercent;
      return {
        threshold: (pool.runLimitMinutes * 60 * percent) / 100,
        when: `when a run lasts ${percent} % of runLimitMinutes (${pool.runLimitMinutes}) or longer.`,
      };
    },
    means: "Runs come close to their time limit, at which their job fails.",
    lookAt: "inference seconds and the saved query Slowest runs.",
    command: "jobs",
  },
  {
    id: "Throttles",
    pages: false,
    lean: false,
    sources: {
      dispatcher: { from: "lambda", metric: "Throttles", of: "dispatcher" },
      processor: { from: "lambda", metric: "Throttles", of: "processor" },
      recovery: { from: "lambda", metric: "Throttles", of: "recovery" },
      runStore: { from: "runner", metric: "RunStoreThrottles", statistic: "Sum" },
    },
    // Adds the sources that have a value.
    expression: () => "SUM(METRICS())",
    periodSeconds: fiveMinutes,
    periods: { breaking: 2, of: 3 },
    ...quiet,
    limit: () => ({
      threshold: 1,
      when: "when calls are throttled in 2 of 3 periods of 5 minutes; a short burst is retried and harmless.",
    }),
    means: "Lambda or DynamoDB throttles calls: the pool needs more than the account allows.",
    lookAt: "which of the four throttles, and the account's concurrency against this pool's.",
    command: "doctor",
  },
  {
    id: "DeadLetters",
    pages: true,
    lean: true,
    sources: { dead: { from: "deadLetters", metric: "ApproximateNumberOfMessagesVisible" } },
    periodSeconds: fiveMinutes,
    periods: once,
    ...quiet,
    limit: () => ({ threshold: 1, when: "at the first message; it is deleted after 14 days." }),
    means:
      "A failed attempt could not be recovered in three tries; its event waits in the dead-letter queue.",
    lookAt: "recovery's errors, then send the events again.",
    command: "redrive",
  },
  {
    id: "Spending80",
    pages: false,
    lean: false,
    ...spending(80),
    means: "The day's estimated spending is close to the cap.",
    lookAt: "cost by model and the saved query Tokens by workspace.",
    command: "status",
  },
  {
    id: "Spending100",
    pages: true,
    lean: true,
    ...spending(100),
    means: "The daily cap is reached: nothing is leased until the next UTC day. Running jobs continue.",
    lookAt: "whether the spending is what you want; then raise the cap, or leave it.",
    command: "set-cap USD",
  },
  {
    id: "DispatcherErrors",
    pages: false,
    lean: false,
    sources: { errors: { from: "lambda", metric: "Errors", of: "dispatcher" } },
    periodSeconds: fiveMinutes,
    periods: once,
    ...quiet,
    limit: ({ settings }) => {
      const errors = settings.monitoring.thresholds.dispatcherErrors;
      const what = errors > 2 ? "more than half" : "less than half";
      return {
        threshold: errors,
        when: `at ${errors} errors in 5 minutes: ${what} of the cycles, since one starts every minute.`,
      };
    },
    means: "Dispatch cycles fail: Studio answered no poll, or the dispatcher itself failed.",
    lookAt: "the cycles by reason and the dispatcher's log.",
    command: "logs --function dispatcher",
  },
] as const satisfies readonly AlarmRow[];

export type AlarmId = (typeof alarmRows)[number]["id"] | "Page";
