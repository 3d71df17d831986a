import { resultOf } from "../../cli/tool-words.ts";
import type { ReadableLine } from "../../cli/log-lines.ts";
import type { Run } from "../../lib/runs/run.ts";
import type { PhaseView } from "./view.ts";

type Facts = Pick<Run, "leasedAtMs" | "createdAtMs" | "endedAtMs" | "attempt">;
type Line = Pick<ReadableLine, "atMs" | "event" | "attempt" | "round" | "calls" | "tool" | "tools">;

interface Opened {
  readonly kind: PhaseView["kind"];
  readonly round: number | null;
}

interface Folding {
  readonly closed: readonly PhaseView[];
  /** The phase that lasts until the next line that begins or ends one. */
  readonly open: PhaseView | undefined;
}

const opened = (kind: Opened["kind"], round: number | null = null): Opened => ({ kind, round });

/** Which phase begins with an event; null: one ends, and none begins. Other events are inside a phase. */
const begins: Readonly<Record<string, (line: Line, lastRound: number) => Opened | null>> = {
  job_leased: () => opened("start"),
  attempt_started: () => opened("context"),
  prior_context: (_, last) => opened("round", last + 1),
  job_resumed: ({ round }, last) => opened("round", round ?? last + 1),
  job_started_over: () => opened("round", 1),
  round_started: ({ round }, last) => opened("round", round ?? last + 1),
  round_ended: ({ round = 0, calls = 0 }) => (calls > 0 ? opened("round", round + 1) : opened("delivery")),
  payload_refused: (_, last) => opened("round", last + 1),
  attempt_continued: () => opened("handover"),
  attempt_restarted: () => opened("handover"),
  attempt_superseded: () => null,
  stopping: () => opened("handover"),
  run_ended: () => null,
};

/** How the run's time was spent, oldest first: its wait in the queue, and then one phase after the other. */
export function phasesOf(run: Facts, lines: readonly Line[], nowMs: number): readonly PhaseView[] {
  const endMs = run.endedAtMs ?? nowMs;
  const queue = run.createdAtMs === undefined ? [] : [queuePhase(run.createdAtMs, run.leasedAtMs)];
  const isLogged = lines.some(({ event }) => event !== undefined && Object.hasOwn(begins, event));
  if (!isLogged) return [...queue, workPhase(run, endMs)];
  const { closed, open } = lines.reduce(step, { closed: [], open: undefined });
  const last = open === undefined ? [] : [{ ...open, endMs, isOpen: run.endedAtMs === undefined }];
  return [...queue, ...[...closed, ...last].filter(isWorthShowing).map((phase) => withCalls(phase, lines))];
}

/** A round that an earlier attempt began has no line for each call: the line of its end names them. */
function withCalls(phase: PhaseView, lines: readonly Line[]): PhaseView {
  if (phase.kind !== "round" || phase.calls.length > 0) return phase;
  const end = lines.find(
    ({ event, attempt = 1, round }) =>
      event === "round_ended" && attempt === phase.attempt && round === phase.round,
  );
  return end === undefined
    ? phase
    : { ...phase, calls: (end.tools ?? []).map((tool) => ({ atMs: end.atMs, makes: resultOf(tool) })) };
}

const queuePhase = (startMs: number, endMs: number): PhaseView => ({
  kind: "queue",
  attempt: null,
  round: null,
  startMs: Math.min(startMs, endMs),
  endMs,
  isOpen: false,
  calls: [],
});

/** Without log lines, only the run store's times are known. */
const workPhase = ({ leasedAtMs, endedAtMs }: Facts, endMs: number): PhaseView => ({
  kind: "work",
  attempt: null,
  round: null,
  startMs: leasedAtMs,
  endMs,
  isOpen: endedAtMs === undefined,
  calls: [],
});

function step({ closed, open }: Folding, line: Line): Folding {
  const { event = "", atMs } = line;
  if (event === "tool_called") return withCall({ closed, open }, line);
  const begin = Object.hasOwn(begins, event) ? begins[event] : undefined;
  if (begin === undefined) return { closed, open };
  const known = open === undefined ? closed : [...closed, open];
  const next = begin(line, lastRoundIn(known));
  // A round that begins is the one that the line before has announced.
  if (next !== null && open?.kind === "round" && next.kind === "round" && next.round === open.round)
    return { closed, open };
  const ended = open === undefined ? closed : [...closed, { ...open, endMs: atMs }];
  if (next === null) return { closed: ended, open: undefined };
  const attempt = line.attempt ?? open?.attempt ?? 1;
  return { closed: ended, open: { ...next, attempt, startMs: atMs, endMs: atMs, isOpen: false, calls: [] } };
}

/** Adds the call to its round. */
function withCall({ closed, open }: Folding, { atMs, round, tool = "a tool" }: Line): Folding {
  const add = (phase: PhaseView): PhaseView => ({
    ...phase,
    calls: [...phase.calls, { atMs, makes: resultOf(tool) }],
  });
  if (open && (round === undefined || open.round === round)) return { closed, open: add(open) };
  const at = closed.findLastIndex((phase) => phase.round === round);
  return { closed: closed.map((phase, index) => (index === at ? add(phase) : phase)), open };
}

/** A round that was announced and not begun has no length. */
const isWorthShowing = ({ startMs, endMs, isOpen, kind }: PhaseView): boolean =>
  endMs > startMs || isOpen || kind === "delivery";

const lastRoundIn = (phases: readonly PhaseView[]): number =>
  phases.reduce((last, { round }) => Math.max(last, round ?? 0), 0);
