/**
 * A run's states and numbers in words, on its own pages and on Studio's.
 * @import { RunRow } from "../../runs/view.ts"
 */

/** @type {Readonly<Record<RunRow["state"], { label: string, tone: string }>>} */
export const runStates = {
  leased: { label: "Starting", tone: "active" },
  running: { label: "Running", tone: "active" },
  completed: { label: "Completed", tone: "good" },
  failed: { label: "Failed", tone: "bad" },
  lost: { label: "Lost", tone: "quiet" },
};

/** @param {RunRow} run */
export const stateOf = (run) =>
  run.cancelledBy !== null && run.endedAtMs !== null
    ? { label: "Cancelled", tone: "quiet" }
    : runStates[run.state];

/** @param {Pick<RunRow, "title" | "workspaceId">} run */
export const titleOf = ({ title, workspaceId }) => title || workspaceId;

/** @param {number} value @param {string} word */
export const count = (value, word) => `${value} ${word}${value === 1 ? "" : "s"}`;

/**
 * @param {number} ms
 * @returns {string} "0.4 s", "1.8 s", "12 s", "3 min 5 s", "2 h 10 min"
 */
export function runTime(ms) {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}

/**
 * @param {number} tokens
 * @returns {string} "940", "1.2k", "13k", "1.2M"
 */
export function tokenCount(tokens) {
  if (tokens < 1_000) return String(tokens);
  const [value, unit] = tokens < 999_500 ? [tokens / 1_000, "k"] : [tokens / 1_000_000, "M"];
  return `${value < 9.95 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)}${unit}`;
}

/**
 * @param {Pick<RunRow, "costUsd" | "isInvented">} run
 * @returns {string | null} "$0.004", "$1.20 (invented)"; null: unknown
 */
export function cost({ costUsd, isInvented }) {
  if (costUsd === null) return null;
  const amount =
    costUsd === 0 || costUsd >= 0.1 ? costUsd.toFixed(2) : String(Number(costUsd.toPrecision(2)));
  return `$${amount}${isInvented ? " (invented)" : ""}`;
}

/**
 * @param {RunRow} run
 * @returns {readonly string[]} "3 rounds", "13k tokens", "$0.004", "1.8 s"; what is unknown is left out
 */
export function runNumbers(run) {
  const { attempts, rounds, inputTokens, outputTokens, leasedAtMs, endedAtMs } = run;
  const tokens = inputTokens + outputTokens;
  const known = [
    attempts > 1 && count(attempts, "attempt"),
    rounds > 0 && count(rounds, "round"),
    tokens > 0 && `${tokenCount(tokens)} token${tokens === 1 ? "" : "s"}`,
    cost(run),
    endedAtMs !== null && runTime(endedAtMs - leasedAtMs),
  ];
  return known.filter((part) => typeof part === "string");
}

/**
 * The run that wrote a message: a workspace has one run at a time, and a message is posted before its run ends.
 * @template {Pick<RunRow, "runId" | "leasedAtMs">} R
 * @param {readonly R[]} runs
 * @param {number} createdAtMs the message's
 * @returns {R | undefined} the newest run that was leased before
 */
export function runOf(runs, createdAtMs) {
  return runs
    .filter(({ leasedAtMs }) => leasedAtMs <= createdAtMs)
    .toSorted((a, b) => b.leasedAtMs - a.leasedAtMs)[0];
}

/** @param {string} runId */
export const hrefOfRun = (runId) => `/runs/${encodeURIComponent(runId)}`;
