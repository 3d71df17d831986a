import { describe, expect, it } from "vitest";
import { tell, workspaceLabel } from "../../../local/narrate.ts";
import { formatTable, RunReport } from "../../../local/report.ts";
import { control, hostileTexts } from "../../support/hostile-text.ts";

const log = (line: string) =>
  ({
    kind: "log",
    atMs: 0,
    function: "pool-local-processor",
    line,
    requestId: "1",
    stream: "stdout",
  }) as const;

const ended = (text: string) => {
  const texts = { workspaceId: text, reason: text, explanation: text };
  return log(JSON.stringify({ level: "WARN", message: "run_ended", state: "failed", ...texts }));
};

function table(text: string): string {
  const report = new RunReport();
  report.observe(ended(text));
  return formatTable(report.rows);
}

const crash = (text: string) =>
  tell({
    kind: "crash",
    atMs: 0,
    function: "f",
    requestId: "1",
    pid: 1,
    durationMs: 1,
    maxMemoryMb: 1,
    errorType: text,
    errorMessage: text,
  });

describe("what npm start prints of text from outside steers no terminal", () => {
  it.each([
    ["a log line of ours", (text: string) => tell(ended(text))?.what],
    ["a line by another hand", (text: string) => tell(log(text))?.what],
    [
      "an event that it does not know",
      (text: string) => tell(log(JSON.stringify({ level: "INFO", message: text })))?.what,
    ],
    ["a crash", (text: string) => crash(text)?.what],
    ["a workspace's title", (text: string) => workspaceLabel("ws", text)],
    ["the id of one without a title", (text: string) => workspaceLabel(text, undefined)],
    ["the table at the end", table],
  ])("%s", (_, render) => {
    const lines = render("x")?.split("\n").length;
    for (const text of hostileTexts) {
      const shown = render(text) ?? "";
      expect(shown).not.toMatch(control);
      expect(shown.split("\n")).toHaveLength(lines ?? 0);
    }
  });
});
