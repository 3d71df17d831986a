import type { JournalEntry } from "../../../local/studio/journal.ts";
import { jobKinds } from "../../chaos/jobs.ts";
import type { CaseEnd, Evidence } from "../../chaos/evidence.ts";
import type { RowWrite } from "../../chaos/row-history.ts";
import type { Records } from "../../chaos/senders.ts";
import type { RunRow } from "../../chaos/stage.ts";
import type { Attempt, Role } from "../../chaos/watch.ts";

export const kind = jobKinds[1]!;
export const poison = jobKinds.find(({ isPoison }) => isPoison)!;

export function ended(more: Partial<CaseEnd> = {}): CaseEnd {
  const tag = more.tag ?? "case-1";
  return {
    tag,
    kind,
    workspaceId: "ws_1",
    state: "completed",
    failure: null,
    leases: 1,
    results: 1,
    markedFor: new Set(more.state === undefined || more.state === "completed" ? [tag] : []),
    asked: new Map([
      ["round 1", 1],
      ["round 2", 1],
      ["round 3", 1],
    ]),
    runs: [],
    brokenAttempts: 0,
    disturbedAttempts: more.brokenAttempts ?? 0,
    takenRounds: 0,
    crossedRounds: 0,
    isTaken: false,
    unstarted: 0,
    failedHeartbeats: 0,
    modelFaults: 0,
    misshapenContexts: 0,
    ...more,
  };
}

/** By a process's name: "p…" is a processor. */
const roleOf = (environment: string): Role => (environment.startsWith("p") ? "processor" : "dispatcher");

export const records = (more: Partial<Records> = {}): Records => ({
  journal: [],
  runs: [],
  writes: [],
  attempts: [],
  freezes: [],
  roleOf,
  ...more,
});

export const evidence = (cases: readonly CaseEnd[], more: Partial<Evidence> = {}): Evidence => ({
  cases,
  roundsOfKind: new Map([
    [kind.name, 3],
    [poison.name, 3],
  ]),
  records: records(),
  calls: [],
  disagreements: [],
  givenUp: [],
  unreadableRows: [],
  defects: [],
  leaseMs: 10_000,
  hit: { runStore: true, secrets: true },
  paced: {},
  longestHoldMs: 0,
  lagMs: 0,
  counted: { completed: 0, failed: 0, lost: 0 },
  uncountable: 0,
  ...more,
});

export const run = (state: RunRow["state"], more: Partial<RunRow> = {}): RunRow =>
  ({
    runId: "run-1",
    workspaceId: "ws_1",
    keyId: "key",
    state,
    reason: "other",
    leasedAtMs: 0,
    leaseMs: 10_000,
    endedAtMs: 5_000,
    rounds: 0,
    delivering: false,
    ...more,
  }) as RunRow;

/** `more` may also remove fields. */
export const entry = (path: string, at: number, more: object = {}): JournalEntry => ({
  path,
  at,
  status: 200,
  answeredAt: at,
  doneAt: at,
  workspaceId: "ws_1",
  credentialId: "key",
  caller: "p1",
  ...more,
});

export const write = (atMs: number, more: Partial<RowWrite> = {}): RowWrite => ({
  atMs,
  caller: "p1",
  isAnswered: true,
  isNew: false,
  runId: "run-1",
  workspaceId: "ws_1",
  attempt: 1,
  state: "running",
  delivering: false,
  responseId: undefined,
  ...more,
});

export const attempt = (more: Partial<Attempt> = {}): Attempt => ({
  runId: "run-1",
  attempt: 1,
  environment: "p1",
  fromMs: 0,
  isBroken: false,
  ...more,
});
