import { printable } from "../lib/core/text.ts";
import { becauseOf, hasFailedLast, remedyOf, type Remedy } from "./cycle-words.ts";
import { formatAge, formatTime, formatUsd } from "./format.ts";
import { backoffText, goodPollWithinMs, type PoolStatus } from "./pool-status.ts";

export type WaitCause =
  | "schedule_off"
  | "paused"
  | "capped"
  | "failed"
  | "backoff"
  | "starting"
  | "silent"
  | "left_alone"
  | "at_capacity";

/** What a pool does now, in a sentence, and what to do if jobs should not wait. */
export interface WhyWaiting {
  /** "none": a waiting job is leased in the next cycle. */
  readonly cause: WaitCause | "none";
  readonly sentence: string;
  readonly remedy?: Remedy;
}

interface Facts {
  readonly status: PoolStatus;
  readonly nowMs: number;
  readonly workspaceId: string | undefined;
}

/**
 * Why a job in Studio's queue is not leased, from the facts that the command `status` shows.
 * @param workspaceId the job's; absent: of any job
 */
export function whyWaiting(status: PoolStatus, nowMs: number, workspaceId?: string): WhyWaiting {
  const facts = { status, nowMs, workspaceId };
  for (const [cause, explain] of causes) {
    const found = explain(facts);
    if (found) return { cause, ...found, sentence: printable(found.sentence) };
  }
  return { cause: "none", sentence: worksSentence(facts) };
}

type Explained = Omit<WhyWaiting, "cause">;

/** The first that applies is the reason: each of them alone keeps the pool from leasing. */
const causes: readonly (readonly [WaitCause, (facts: Facts) => Explained | undefined])[] = [
  [
    "schedule_off",
    ({ status: { state } }) =>
      state === "schedule_off"
        ? {
            sentence: "Off: its schedule is disabled, so no dispatch cycle starts.",
            remedy: { text: "Enable it in the console of EventBridge Scheduler." },
          }
        : undefined,
  ],
  ["paused", pausedNow],
  ["capped", cappedNow],
  ["failed", failedNow],
  ["backoff", heldBack],
  [
    "starting",
    ({ status: { lastCycle, goodPollAtMs } }) =>
      lastCycle === null && goodPollAtMs === null
        ? { sentence: "Starting: no dispatch cycle has ended yet. One starts every minute." }
        : undefined,
  ],
  ["silent", silentNow],
  ["left_alone", leftAlone],
  ["at_capacity", fullNow],
];

function pausedNow({ status: { paused, lastCycle }, nowMs }: Facts): Explained | undefined {
  if (!paused) return undefined;
  const { by, why, atMs } = paused;
  const who = by === undefined ? "" : ` by ${by}`;
  const since = atMs === undefined ? "" : `, ${formatAge(nowMs - atMs)}`;
  // A cycle reads the pause only when it starts.
  const mayLease = atMs !== undefined && nowMs - atMs < 60_000 && (lastCycle?.atMs ?? 0) < atMs;
  const until = mayLease ? " Within a minute, a cycle that started before may still lease jobs." : "";
  return {
    sentence: `Paused${who}${since}${why === undefined ? "." : `: ${withStop(why)}`}${until}`,
    remedy: { text: "To lease jobs again:", command: "resume" },
  };
}

function cappedNow({ status: { today, dailyCapUsd } }: Facts): Explained | undefined {
  const capUsd = dailyCapUsd.value;
  if (capUsd === null || today.costUsd < capUsd) return undefined;
  const spent = `${formatUsd(today.costUsd)}${today.isInvented ? " (invented)" : ""} of ${formatUsd(capUsd)}`;
  return {
    sentence: `At its daily cap: ${spent} are spent, and no job is leased until 00:00 UTC.`,
    remedy: {
      text: "To raise the cap now:",
      command: `set-cap ${Math.ceil(Math.max(1, today.costUsd * 2))}`,
    },
  };
}

function failedNow({ status: { lastCycle, goodPollAtMs }, nowMs }: Facts): Explained | undefined {
  if (!lastCycle || !hasFailedLast(lastCycle, goodPollAtMs)) return undefined;
  const { reason, atMs } = lastCycle;
  return {
    sentence: `Failing: its last dispatch cycle ended ${formatAge(nowMs - atMs)}, ${becauseOf(reason)}.`,
    remedy: remedyOf(reason),
  };
}

function heldBack({ status: { backoff } }: Facts): Explained | undefined {
  const last = backoff.toSorted((a, b) => b.untilMs - a.untilMs)[0];
  if (!last) return undefined;
  return {
    sentence: `Waiting ${backoffText(last)}.`,
    remedy: { text: "To end the wait now:", command: "clear-backoff" },
  };
}

function silentNow({ status: { goodPollAtMs }, nowMs }: Facts): Explained | undefined {
  const ageMs = nowMs - (goodPollAtMs ?? 0);
  if (ageMs <= goodPollWithinMs) return undefined;
  const since =
    goodPollAtMs === null ? "it has never reached Studio" : `it last reached Studio ${formatAge(ageMs)}`;
  return {
    sentence: `Silent: ${since}.`,
    remedy: { text: "To find out what is wrong:", command: "doctor" },
  };
}

function leftAlone({ status, workspaceId }: Facts): Explained | undefined {
  const found = status.leftAlone.find((one) => one.workspaceId === workspaceId);
  if (!found) return undefined;
  const until = formatTime(found.untilMs).slice(11);
  return {
    sentence: `This workspace is left alone until ${until} UTC, because several of its runs in a row lost their leases.`,
  };
}

function fullNow({ status: { inFlight, concurrency } }: Facts): Explained | undefined {
  const limit = concurrency.value;
  if (inFlight < limit) return undefined;
  const command = `set-concurrency ${Math.max(1, limit * 2)}`;
  if (limit === 0) {
    return {
      sentence: "Its concurrency is 0, so no job is leased.",
      remedy: { text: "To change it:", command },
    };
  }
  return {
    sentence: `At capacity: ${inFlight} of at most ${limit} runs in flight. The next job is leased when one of them ends.`,
    remedy: { text: "To run more at once:", command },
  };
}

function worksSentence({ status: { lastCycle, inFlight, concurrency }, nowMs }: Facts): string {
  const since = lastCycle ? `, and its last dispatch cycle ended ${formatAge(nowMs - lastCycle.atMs)}` : "";
  return `Working: ${inFlight} of at most ${concurrency.value} runs in flight${since}.`;
}

const withStop = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
