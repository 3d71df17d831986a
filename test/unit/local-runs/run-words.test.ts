import { describe, expect, it } from "vitest";
import type { RunRow } from "../../../local/runs/view.ts";
import { runOf as sampleRun } from "../../support/runs-source.ts";

interface RunWords {
  cost(run: Pick<RunRow, "costUsd" | "isInvented">): string | null;
  runNumbers(run: RunRow): readonly string[];
  runOf(runs: readonly Pick<RunRow, "runId" | "leasedAtMs">[], atMs: number): { runId: string } | undefined;
  runTime(ms: number): string;
  tokenCount(tokens: number): string;
}

/** The page's files are JavaScript without declarations. */
const { cost, runNumbers, runOf, runTime, tokenCount }: RunWords = await import(
  new URL("../../../local/studio/page/run-words.js", import.meta.url).href
);

describe("a run in words", () => {
  it.each([
    [940, "940"],
    [1_000, "1k"],
    [1_240, "1.2k"],
    [12_990, "13k"],
    [999_600, "1M"],
    [12_400_000, "12M"],
  ])("has %d tokens as %s", (tokens, words) => expect(tokenCount(tokens)).toBe(words));

  it.each([
    [400, "0.4 s"],
    [9_960, "10 s"],
    [185_000, "3 min 5 s"],
    [7_800_000, "2 h 10 min"],
    [-5, "0.0 s"],
  ])("has %d ms as %s", (ms, words) => expect(runTime(ms)).toBe(words));

  it.each([
    [null, false, null],
    [0, false, "$0.00"],
    [0.00423, false, "$0.0042"],
    [1.5, true, "$1.50 (invented)"],
  ])("has a cost of %s (invented: %s) as %s", (costUsd, isInvented, words) =>
    expect(cost({ costUsd, isInvented })).toBe(words),
  );

  it("leaves out what is not known", () => {
    const unknown = { rounds: 0, inputTokens: 0, outputTokens: 0, costUsd: null, endedAtMs: null };
    expect(runNumbers(sampleRun(unknown))).toEqual([]);
    expect(runNumbers(sampleRun({ attempts: 2, isInvented: false }))).toEqual([
      "2 attempts",
      "3 rounds",
      "13k tokens",
      "$0.0042",
      "1.8 s",
    ]);
  });
});

describe("the run of a message", () => {
  const runs = [
    { runId: "third", leasedAtMs: 300 },
    { runId: "second", leasedAtMs: 200 },
    { runId: "first", leasedAtMs: 100 },
  ];
  it.each([
    ["an answer of the first job", 150, "first"],
    ["an answer that a second run of the same job posted, after the first was lost", 250, "second"],
    ["a failure at the moment of a lease", 300, "third"],
    ["a message from before every run", 50, undefined],
  ])("is found for %s", (_, createdAtMs, runId) => expect(runOf(runs, createdAtMs)?.runId).toBe(runId));
});
