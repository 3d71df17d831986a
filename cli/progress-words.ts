import { printable } from "../lib/core/text.ts";
import type { LogLine } from "./parse-log-line.ts";
import { doing } from "./tool-words.ts";

/** What a run is doing, from its newest log lines. */
export interface Doing {
  readonly attempt: number;
  /** 0: before the first round. */
  readonly round: number;
  readonly what: string;
}

const nothingYet: Doing = { attempt: 1, round: 0, what: "starting" };

const writing = "the model is writing";

type Change = Partial<Doing>;

/** What each event changes; other events change nothing. */
const changes: Readonly<Record<string, (line: LogLine, before: Doing) => Change>> = {
  job_leased: () => ({ what: "starting" }),
  attempt_started: () => ({ what: "reading the messages" }),
  prior_context: (_, { round }) => ({ round: Math.max(1, round), what: writing }),
  job_resumed: ({ round = 1 }) => ({ round, what: writing }),
  job_started_over: () => ({ round: 1, what: writing }),
  round_started: ({ round = 1 }) => ({ round, what: writing }),
  tool_called: ({ round, tool }, before) => ({ round: round ?? before.round, what: doing(tool) }),
  round_ended: ({ round = 1, calls = 0 }) =>
    calls > 0 ? { round: round + 1, what: writing } : { round, what: "delivering the result" },
  payload_refused: (_, { round }) => ({ round: round + 1, what: "correcting what Studio refused" }),
  call_retried: () => ({ what: "trying again after an error" }),
  pool_held_back: () => ({ what: "waiting, because the model asked to" }),
  attempt_continued: (_, { attempt }) => ({ attempt: attempt + 1, what: "continuing" }),
  attempt_restarted: () => ({ what: "starting again after a failure" }),
};

/** What the run is doing after this line. */
export function doingAfter(line: LogLine, before: Doing = nothingYet): Doing {
  const change = Object.hasOwn(changes, line.message) ? changes[line.message]?.(line, before) : undefined;
  const { attempt = before.attempt } = line;
  return { ...before, attempt: Math.max(before.attempt, attempt), ...change };
}

/** "Round 2: drawing a table", "Attempt 2, round 3: the model is writing" */
export function progressText({ attempt, round, what }: Doing): string {
  const where = [...(attempt > 1 ? [`attempt ${attempt}`] : []), ...(round > 0 ? [`round ${round}`] : [])];
  const text = where.length === 0 ? what : `${where.join(", ")}: ${what}`;
  return printable(`${text.charAt(0).toUpperCase()}${text.slice(1)}`);
}
