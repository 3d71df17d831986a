import { describe, expect, it } from "vitest";
import { createRepeats, type TerminalLine } from "../../../local/narrate.ts";

const failure = (what: string, more: Partial<TerminalLine> = {}): TerminalLine => ({
  who: "dispatcher",
  workspaceId: undefined,
  what,
  tone: "bad",
  ...more,
});
const good: TerminalLine = { ...failure("x"), what: undefined, tone: "plain" };

describe("a repeated failure", () => {
  const told = () => {
    const repeats = createRepeats((atMs) => `${atMs / 1_000} s`);
    return (line: TerminalLine, atMs: number) => repeats(line, atMs).flatMap(({ what }) => what ?? []);
  };

  it("is told once, once a minute while it goes on, and when it is over", () => {
    const tell = told();
    expect(tell(failure("could not ask for work, trying again in 2 s"), 0)).toEqual([
      "could not ask for work, trying again in 2 s",
    ]);
    expect(tell(failure("could not ask for work, trying again in 4 s"), 5_000)).toEqual([]);
    expect(tell(failure("could not ask for work, trying again in 8 s"), 60_000)).toEqual([
      "could not ask for work, trying again in 8 s (again, 3 times since 0 s)",
    ]);
    expect(tell(good, 61_000)).toEqual(["works again, after 3 failures since 0 s"]);
    expect(tell(good, 62_000)).toEqual([]);
  });

  it("is told again when it changes", () => {
    const tell = told();
    tell(failure("could not ask for work: refused"), 0);
    expect(tell(failure("could not ask for work: no network"), 1_000)).toEqual([
      "could not ask for work: no network",
    ]);
    expect(tell(failure("could not ask for work: refused"), 2_000)).toEqual([]);
  });

  it("of another function or workspace is told too", () => {
    const tell = told();
    tell(failure("failed"), 0);
    expect(tell(failure("failed", { who: "processor" }), 1_000)).toEqual(["failed"]);
    expect(tell(failure("failed", { workspaceId: "ws_1" }), 2_000)).toEqual(["failed"]);
  });

  it("is not over when a run ends as failed, which is always told", () => {
    const tell = told();
    const ofRun = { workspaceId: "ws_1" };
    tell(failure("trying again", ofRun), 0);
    tell(failure("trying again", ofRun), 1_000);
    expect(tell(failure("failed after 2.0 s", { ...ofRun, isEnd: true }), 2_000)).toEqual([
      "failed after 2.0 s",
    ]);
    expect(tell(failure("trying again", ofRun), 3_000)).toEqual(["trying again"]);
  });

  it("that happened once is over without a word", () => {
    const tell = told();
    tell(failure("could not ask for work"), 0);
    expect(tell(good, 1_000)).toEqual([]);
  });
});
