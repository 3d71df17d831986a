import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { describeEvent, workspaceLabel } from "../../../local/narrate.ts";
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
  return formatTable(report.rows, (id) => id, { columns: 200, colours: pc.createColors(false) });
}

const crash = (text: string) =>
  describeEvent({
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

describe("npm start escapes control characters in text from outside", () => {
  it.each([
    ["a log line of ours", (text: string) => describeEvent(ended(text))?.what],
    ["a log line that is not JSON", (text: string) => describeEvent(log(text))?.what],
    [
      "an unknown log event",
      (text: string) => describeEvent(log(JSON.stringify({ level: "INFO", message: text })))?.what,
    ],
    ["the error of a crash", (text: string) => crash(text)?.what],
    ["a workspace's title", (text: string) => workspaceLabel("ws", text)],
    ["the id of a workspace without a title", (text: string) => workspaceLabel(text, undefined)],
    ["the final table", table],
  ])("when it prints %s", (_, render) => {
    const lines = render("x")?.split("\n").length;
    for (const text of hostileTexts) {
      const shown = render(text) ?? "";
      expect(shown).not.toMatch(control);
      expect(shown.split("\n")).toHaveLength(lines ?? 0);
    }
  });
});
