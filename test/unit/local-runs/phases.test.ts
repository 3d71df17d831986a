import { describe, expect, it } from "vitest";
import { phasesOf } from "../../../local/runs/phases.ts";

type Line = Parameters<typeof phasesOf>[1][number];

const line = (atMs: number, event: string, more: Partial<Line> = {}): Line => ({
  atMs,
  event,
  attempt: 1,
  round: undefined,
  calls: undefined,
  tool: undefined,
  ...more,
});

const started = [line(100, "job_leased"), line(200, "attempt_started"), line(300, "prior_context")];
const run = { leasedAtMs: 100, createdAtMs: 20, endedAtMs: 900, attempt: 1 };

/** "round 1 of attempt 1: 300-400" */
const inShort = (...given: Parameters<typeof phasesOf>): readonly string[] =>
  phasesOf(...given).map(({ kind, round, attempt, startMs, endMs, isOpen, calls }) => {
    const name = round === null ? kind : `${kind} ${round}`;
    const made = calls.map(({ makes, atMs }) => `, ${makes} at ${atMs}`).join("");
    return `${attempt ?? "-"} ${name}: ${startMs}-${isOpen ? "" : endMs}${made}`;
  });

describe("the phases of a run", () => {
  it("are its wait, its start, its rounds with the tools that the model called, and its delivery", () => {
    const lines = [
      ...started,
      line(310, "round_started", { round: 1 }),
      line(350, "tool_called", { round: 1, tool: "create_table" }),
      line(400, "round_ended", { round: 1, calls: 1 }),
      line(410, "tool_called", { round: 1, tool: "create_list" }),
      line(420, "round_started", { round: 2 }),
      line(600, "round_ended", { round: 2, calls: 0 }),
      line(900, "run_ended"),
    ];
    expect(inShort(run, lines, 5_000)).toEqual([
      "- queue: 20-100",
      "1 start: 100-200",
      "1 context: 200-300",
      "1 round 1: 300-400, a table at 350, a list at 410",
      "1 round 2: 400-600",
      "1 delivery: 600-900",
    ]);
  });

  it("go on to the present while the run is unfinished", () => {
    expect(inShort({ ...run, endedAtMs: undefined }, started, 700).at(-1)).toBe("1 round 1: 300-");
  });

  it("are divided by attempt when a continuation or a restart takes over", () => {
    const lines = [
      ...started,
      line(400, "attempt_continued"),
      line(450, "attempt_started", { attempt: 2 }),
      line(460, "job_resumed", { attempt: 2, round: 1 }),
      line(590, "round_ended", { attempt: 2, round: 1, calls: 1, tools: ["create_list"] }),
      line(600, "attempt_restarted", { attempt: 3 }),
      line(650, "attempt_started", { attempt: 3 }),
      line(900, "run_ended", { attempt: 3 }),
    ];
    expect(inShort(run, lines, 5_000).slice(3)).toEqual([
      "1 round 1: 300-400",
      "1 handover: 400-450",
      "2 context: 450-460",
      "2 round 1: 460-590, a list at 590",
      "2 round 2: 590-600",
      "3 handover: 600-650",
      "3 context: 650-900",
    ]);
  });

  it.each<readonly [string, readonly Line[]]>([
    ["no log lines are left", []],
    ["no log line begins a phase", [line(300, "heartbeat_failed"), line(310, "constructor")]],
  ])("are its wait and its work when %s", (_, lines) => {
    expect(inShort(run, lines, 5_000)).toEqual(["- queue: 20-100", "- work: 100-900"]);
  });
});
