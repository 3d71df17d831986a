import type { LogEvent } from "../lib/core/log.ts";
import type { LogLine } from "./parse-log-line.ts";
import { printable } from "../lib/core/text.ts";
import { explainFailure } from "../lib/attempt/attempt-failure.ts";
import { doing, madeWith } from "./tool-words.ts";

type Sentence = (line: LogLine) => string | undefined;

const seconds = (ms = 0): string => `${(ms / 1_000).toFixed(1)} s`;
const why = ({ explanation, error, reason = "no reason was given" }: LogLine): string =>
  explanation ?? error?.message ?? explainFailure(reason) ?? reason;

/** A sentence for each event; `undefined`: not worth showing. */
const sentences: Readonly<Record<LogEvent, Sentence>> = {
  cycle_ended: (line) => (line.error ? `stopped looking for work: ${why(line)}` : undefined),
  reaper_failed: (line) => `could not recover older runs: ${why(line)}`,
  poll_failed: (line) => `could not ask for work: ${why(line)}`,
  job_leased: () => "leased",
  lease_dropped: (line) => `dropped the lease: ${why(line)}`,
  attempt_started: () => "started working",
  attempt_duplicate: () => "did nothing: this event has already been handled",
  attempt_continued: () => "continues in the next attempt, because the time of this invocation is over",
  attempt_restarted: (line) => `starts again (start ${line.starts}), because ${why(line)}`,
  recovery_ended: (line) =>
    line.what === "left" ? undefined : `recovered an attempt that failed: ${why(line)}`,
  attempt_not_invoked: (line) => `could not start the attempt, the next dispatch will: ${why(line)}`,
  job_resumed: ({ earlierRunId, round }) =>
    earlierRunId === undefined
      ? `continues where the last attempt ended: round ${round}`
      : `continues the job of the earlier run ${earlierRunId}: round ${round}`,
  run_superseded: (line) => `was superseded: its workspace has been leased again (${line.state})`,
  workspace_left_alone: (line) =>
    `leaves the workspace alone for ${seconds(line.waitMs)}: its last ${line.losses} runs lost their leases`,
  job_started_over: (line) => `starts over: ${why(line)}`,
  payload_refused: (line) => `Studio refused the result, so the model is asked to correct it: ${why(line)}`,
  pool_held_back: (line) => `waits ${seconds(line.waitMs)}, because the model asked the pool to wait`,
  tier_fallback: (line) =>
    `continues in the tier auto, because ${String(line["tier"])} had no capacity for ${seconds(line.waitMs)}`,
  row_unreadable: (line) => `skipped an unreadable row of the run store: ${why(line)}`,
  lease_renewed: () => "renewed the lease before starting",
  heartbeat_accepted: () => undefined,
  heartbeat_failed: (line) => `could not renew the lease, trying again: ${why(line)}`,
  lease_lost: (line) => `lost the lease: ${why(line)}`,
  prior_context: (line) =>
    line.error ? `could not ${line.what} the earlier messages: ${why(line)}` : undefined,
  round_started: () => undefined,
  tool_called: (line) => `round ${line.round}: ${doing(line["tool"])}`,
  round_ended: (line) => {
    if (line.calls)
      return `round ${line.round}: the model called ${count(line.calls, "tool")}${madeWith(line["tools"])}`;
    return `round ${line.round}: the model ${line["unusable"] ? "gave no usable answer" : "answered"}`;
  },
  call_retried: (line) => `tries again in ${seconds(line.waitMs)}: ${why(line)}`,
  key_refetched: () => "reads the model key again, after a refusal",
  background_stream_refused: () =>
    "polls responses from now on: the provider does not stream them in the background",
  background_refused: () => "streams responses from now on: the provider has no background mode",
  completion_unconfirmed: () => "delivered, but Studio did not confirm it",
  report_failed: (line) => `could not report the failure to Studio: ${why(line)}`,
  cancel_failed: (line) => `could not stop the model: ${why(line)}`,
  backoff_unavailable: (line) => `could not make the pool wait: ${why(line)}`,
  good_poll_not_recorded: (line) => `could not record that a poll succeeded: ${why(line)}`,
  lock_not_released: (line) => `could not release the dispatch lock: ${why(line)}`,
  spend_not_recorded: (line) => `could not add the run to the day's spending: ${why(line)}`,
  price_unknown: (line) => `the price of the model ${line.model} is unknown: give it in the settings`,
  daily_cap_reached: (line) =>
    `leases no more jobs today: the estimated spending of $${line.spentUsd} has reached the cap of $${line.capUsd}`,
  attempt_superseded: () => "stopped: a newer attempt has taken over the run, or the run has ended",
  run_ended: (line) =>
    line.state === "completed"
      ? `completed in ${seconds(line.elapsedMs)}: ${listDeliverables(line.deliverables)}`
      : `${line.state} after ${seconds(line.elapsedMs)}: ${why(line)}`,
  rotation_step: (line) => (line.what === "revokeUnused" ? undefined : rotationStep(line)),
  key_minted: (line) => `created the runner key ${line.keyId} at Studio`,
  key_revoked: (line) => `revoked the runner key ${line.keyId}, which is no longer used, at Studio`,
  key_not_revocable: (line) => `cannot revoke the runner key ${line.keyId}: ${why(line)}`,
  stopping: () => "stopping",
};

const rotationSteps: Readonly<Record<string, string>> = {
  createSecret: "stored the new runner keys, which are not in use yet",
  setSecret: "has nothing to set: Studio created the new runner keys itself",
  testSecret: "tried the new runner keys at Studio",
  finishSecret: "put the new runner keys to use",
  revokeUnused: "looked for unused runner keys of earlier rotations",
};

const rotationStep = ({ what = "" }: LogLine): string =>
  rotationSteps[what] ?? `finished the step ${what} of the rotation`;

/** Sentences for lines that only the command `logs` shows. */
const quietSentences: Readonly<Partial<Record<LogEvent, (line: LogLine) => string>>> = {
  cycle_ended: (line) => `looked for work: ${line.reason ?? "no reason was given"}`,
  heartbeat_accepted: () => "renewed the lease",
  rotation_step: rotationStep,
  round_started: (line) => `round ${line.round}: the model is at work`,
  recovery_ended: (line) => `ignored an attempt that failed (${line.reason}): its run has ended or moved on`,
  prior_context: (line) =>
    line.what === "fresh"
      ? "read the job's messages; the model summed up the earlier ones"
      : "read the job's messages",
};

/** A description of a line for which `sentenceOf` returns undefined. */
export function quietSentenceOf(line: LogLine): string {
  const words = isLogEvent(line.message) ? quietSentences[line.message]?.(line) : undefined;
  return printable(words ?? inWords(line.message));
}

/** An event of a newer version. */
const inWords = (name: string): string =>
  /^[a-z]+(?:_[a-z]+)+$/.test(name) ? name.replaceAll("_", " ") : name;

export type Tone = "plain" | "good" | "bad";

/** A sentence about the line, safe for a terminal; `undefined`: not worth showing. */
export function sentenceOf(line: LogLine): string | undefined {
  const words = isLogEvent(line.message) ? sentences[line.message](line) : inWords(line.message);
  return words === undefined ? undefined : printable(words);
}

function isLogEvent(message: string): message is LogEvent {
  return Object.hasOwn(sentences, message);
}

export function toneOf(line: LogLine): Tone {
  if (line.message === "run_ended") return line.state === "completed" ? "good" : "bad";
  return line.level === "INFO" ? "plain" : "bad";
}

/** "3 charts, 1 table"; kinds as in the run store. */
export function listDeliverables(counts: Readonly<Record<string, number>> = {}): string {
  const made = Object.entries(counts).filter(([, number]) => number > 0);
  return made.length === 0 ? "a message" : made.map(([kind, number]) => count(number, kind)).join(", ");
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
