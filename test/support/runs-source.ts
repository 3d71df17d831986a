import { CliError } from "../../cli/errors.ts";
import type { WhyWaiting } from "../../cli/why-waiting.ts";
import type { RunsSource } from "../../local/runs/source.ts";
import type { PhaseView, RunDetail, RunRow } from "../../local/runs/view.ts";

export const runIds = [
  "01JCZ9V5W3X8K2M4N6P8Q0R2S4",
  "01JCZ9V5W3X8K2M4N6P8Q0R2S5",
  "01JCZ9V5W3X8K2M4N6P8Q0R2S6",
] as const;

export const runOf = (fields: Partial<RunRow> = {}): RunRow => ({
  runId: runIds[0],
  workspaceId: "ws-1",
  title: "Coffee by post",
  state: "completed",
  cancelledBy: null,
  reason: null,
  explanation: null,
  attempts: 1,
  rounds: 3,
  inputTokens: 12_000,
  outputTokens: 1_000,
  costUsd: 0.0042,
  isInvented: true,
  leasedAtMs: 1_800_000_000_000,
  endedAtMs: 1_800_000_001_800,
  progress: null,
  ...fields,
});

const round = (startMs: number, endMs: number): PhaseView => ({
  kind: "round",
  attempt: 1,
  round: 1,
  startMs,
  endMs,
  isOpen: false,
  calls: [{ atMs: endMs, makes: "a table" }],
});

export function detailOf(row: RunRow, fields: Partial<RunDetail> = {}): RunDetail {
  const { leasedAtMs } = row;
  const step = {
    atMs: leasedAtMs,
    source: "run store",
    attempt: null,
    event: null,
    tone: "plain",
    log: null,
  } as const;
  return {
    ...row,
    facts: "1.8 s, 1 attempt, 3 rounds",
    why: null,
    isUnconfirmed: false,
    note: null,
    phases: [round(leasedAtMs, leasedAtMs + 1_000)],
    heartbeatsMs: [leasedAtMs + 500],
    steps: [
      { ...step, what: "the run is created" },
      {
        ...step,
        atMs: leasedAtMs + 1_200,
        source: "processor",
        attempt: 1,
        event: "round_ended",
        what: "round 1: the model called 1 tool",
        log: { message: "round_ended", text: "<b>bold</b>" },
      },
    ],
    log: [{ message: "round_ended" }],
    command: `npm run runner -- explain ${row.runId} --local`,
    ...fields,
  };
}

export interface FakeRuns {
  rows: readonly RunRow[];
  detail: RunDetail | undefined;
  now: WhyWaiting;
  readonly cancelled: string[];
}

export const fakeRuns = (): FakeRuns => ({
  rows: [],
  detail: undefined,
  now: { cause: "none", sentence: "Working: 0 of at most 4 runs in flight." },
  cancelled: [],
});

/** Answers the pages from `fake`, which tests change in place. */
export const sourceOf = (fake: FakeRuns): RunsSource => ({
  runs: async ({ state, q = "", before }) => {
    const fits = (row: RunRow): boolean =>
      (state === undefined || row.state === state) &&
      (row.title ?? "").toLowerCase().includes(q.toLowerCase());
    const rows = fake.rows.filter(fits).filter(({ runId }) => before === undefined || runId < before);
    return { runs: rows.slice(0, 2), next: rows.length > 2 ? (rows[1]?.runId ?? null) : null };
  },
  run: async (runId) => {
    if (fake.detail?.runId === runId) return fake.detail;
    throw new CliError("not_found", `No run is known for ${runId}.`);
  },
  ofWorkspace: async (workspaceId) => fake.rows.filter((row) => row.workspaceId === workspaceId),
  now: async () => fake.now,
  cancel: async (runId) => {
    fake.cancelled.push(runId);
    return `Run ${runId} is cancelled. Its attempt stops at its next heartbeat.`;
  },
  commandLine: (words) => `npm run runner -- ${words} --local`,
});
