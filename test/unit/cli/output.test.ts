import { describe, expect, it } from "vitest";
import { formatDuration, formatUsd } from "../../../cli/format.ts";
import { shortIds } from "../../../cli/short-ids.ts";
import { renderTable } from "../../../cli/table.ts";
import { createTerminal } from "../../../cli/terminal.ts";
import { compareVersions } from "../../../cli/versions.ts";
import { fitLines } from "../../../cli/wrap.ts";

function terminal(tty: boolean, env: Record<string, string> = {}) {
  const written = { out: "", err: "" };
  const made = createTerminal({
    stdout: { write: (text) => void (written.out += text), isTTY: tty, columns: 50, rows: 4 },
    stderr: { write: (text) => void (written.err += text), isTTY: tty, columns: 20 },
    env,
  });
  return { made, written };
}

describe("the terminal", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { TERM: "dumb" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [true, { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
  ])("given isTTY %s and environment %j, sets colour to %s", (tty, env, colour) => {
    expect(terminal(tty, env).made.colours.isColorSupported).toBe(colour);
  });

  it("takes its width from COLUMNS or the TTY, and is unlimited in a pipe", () => {
    expect(terminal(true).made.columns).toBe(50);
    expect(terminal(false).made.columns).toBe(Infinity);
    expect(terminal(false, { COLUMNS: "72" }).made.columns).toBe(72);
  });

  it("updates progress in place, and clears it before it prints a line", () => {
    const { made, written } = terminal(true);
    made.progress("one");
    made.progress("one");
    made.progress("a text that is longer than the line");
    made.out("done");
    expect(written.err).toBe("\r\u001B[2Kone\r\u001B[2Ka text that is long\r\u001B[2K");
    expect(written.out).toBe("done\n");
  });

  it("prints one line per change of progress into a pipe, without counting times as a change", () => {
    const { made, written } = terminal(false);
    made.progress("one");
    made.progress("one");
    made.progress("two (1 s)", "two");
    made.progress("two (2 s)", "two");
    made.settled();
    expect(written.err).toBe("one\ntwo (1 s)\n");
  });

  it("redraws a text in one write over the one before, as far as it fits the screen, and shows the cursor at the end", () => {
    const { made, written } = terminal(true);
    made.redraw("a\nb\nc\nd\ne");
    made.redraw("a\nB");
    made.settled();
    const frames = [
      "\u001B[?25la\u001B[K\nb\u001B[K\nc\u001B[K\n\u001B[J",
      "\r\u001B[3Aa\u001B[K\nB\u001B[K\n\u001B[J",
      "\u001B[?25h",
    ];
    expect(written.out).toBe(frames.join(""));
  });

  it.each([
    ["a sentence of several words in one line", "a sentence of\nseveral words in one\nline"],
    ["  name  the text of a fact", "  name  the text of\n        a fact"],
    ["Run: npm run runner -- jobs --local, please", "Run:\nnpm run runner -- jobs --local,\nplease"],
    ["\u001B[31mred words, which are many\u001B[39m", "\u001B[31mred words, which are\nmany\u001B[39m"],
    ["/a/path/that/is/longer/than/the/line", "/a/path/that/is/longer/than/the/line"],
  ])("breaks %j between words, under its last column", (line, lines) => {
    expect(fitLines(line, 20)).toBe(lines);
    expect(fitLines(line, Infinity)).toBe(line);
  });
});

describe("a table", () => {
  const columns = [
    { title: "name", shrinks: true },
    { title: "n", align: "right" },
  ] as const;

  it("aligns its columns", () => {
    const rows = [
      ["a", "1"],
      ["bbb", "22"],
    ] as const;
    expect(renderTable(columns, rows, terminal(false, { COLUMNS: "80" }).made)).toBe(
      "NAME   N\na      1\nbbb   22",
    );
  });

  it("is lines of cells separated by tabs in a pipe: whole, without headings, in columns that stay", () => {
    const { made } = terminal(false);
    const all = [...columns, { title: "empty", optional: 1 }, { title: "pool", pipedOnly: true }] as const;
    const time = { text: "2 min", piped: "2026-11-20T03:00:00.000Z" };
    expect(renderTable(all, [[time, "1\t\u001B2", "", "p"]], made)).toBe(
      "2026-11-20T03:00:00.000Z\t1 \\u001b2\t\tp",
    );
  });

  it("leaves out optional columns that are empty, and those that do not fit, the lowest number first", () => {
    const all = [
      { title: "a" },
      { title: "b", optional: 2 },
      { title: "c", optional: 1 },
      { title: "d", optional: 3 },
    ];
    const wide = terminal(false, { COLUMNS: "12" }).made;
    expect(renderTable(all, [["aaaa", "bbbb", "cccc", ""]], wide)).toBe("A     B\naaaa  bbbb");
  });

  it("shortens long cells with an ellipsis, by their width on the screen", () => {
    const { made } = terminal(false, { COLUMNS: "14" });
    expect(renderTable(columns, [["😀😀😀😀😀😀😀😀😀😀😀😀😀", "1"]], made)).toBe(
      "NAME         N\n😀😀😀😀😀…  1",
    );
  });

  it("leaves room for wide characters, and never shows half of one", () => {
    expect(renderTable(columns, [["中文字", "1"]], terminal(false, { COLUMNS: "80" }).made)).toBe(
      "NAME    N\n中文字  1",
    );
    const wrapping = [{ title: "name", shrinks: true, wraps: true }] as const;
    const { made } = terminal(false, { COLUMNS: "9" });
    expect(renderTable(wrapping, [["😀".repeat(6)]], made)).toBe("NAME\n😀😀😀😀\n😀😀");
  });

  it("does not count colour codes as width, and never cuts inside one", () => {
    const { made } = terminal(false, { COLUMNS: "12", FORCE_COLOR: "1" });
    const cell = { text: "abcdefghijklmnop", paint: made.colours.red };
    const [, row] = renderTable(columns, [[cell, "1"]], made).split("\n");
    expect(row).toBe("\u001B[31mabcdefgh\u001B[39m…  1");
  });
});

it("durations are printed in seconds, minutes, hours or days", () => {
  const durations = [0, 400, 9_999, 12_000, 89_000, 300_000, 3_600_000, 7_800_000, 259_200_000];
  expect(durations.map(formatDuration).join(", ")).toBe(
    "0.0 s, 0.4 s, 10.0 s, 12 s, 89 s, 5 min, 1 h, 2 h 10 min, 3 d",
  );
});

it("amounts are printed with cents, and with more digits when they are small", () => {
  const amounts = [0, 12.3, 0.8, 0.0042, 0.00000042];
  expect(amounts.map(formatUsd).join(" ")).toBe("$0.00 $12.30 $0.80 $0.0042 $4.2e-7");
});

it("versions are compared by number, with pre-releases first and build metadata ignored", () => {
  const rising =
    "0.9.0 0.9.9 0.10.0 1.0.0-9 1.0.0-rc 1.0.0-rc.1 1.0.0-rc.2 1.0.0-rc.9 1.0.0-rc.10 1.0.0 1.0.1".split(" ");
  for (const [index, newer] of rising.entries())
    for (const older of rising.slice(0, index)) {
      expect(compareVersions(newer, older)).toBeGreaterThan(0);
      expect(compareVersions(older, newer)).toBeLessThan(0);
    }
  expect(compareVersions("1.0.0+a", "1.0.0+b")).toBe(0);
});

it("ids are shortened to ten characters, or as many more as tell them apart, and short ones stay whole", () => {
  const ids = [
    "01JCZ9V5W3X8K2M4N6P8Q0R2S4",
    "01JCZ9V5W3X8K2M4N6P8QZZZZZ",
    "01JCZ9V5XX0000000000000000",
    "ws-1",
    "workspace-123",
  ];
  const short = shortIds(ids);
  expect(ids.map(short)).toEqual([
    "01JCZ9V5W3X8K2M4N6P8Q0",
    "01JCZ9V5W3X8K2M4N6P8QZ",
    "01JCZ9V5XX",
    "ws-1",
    "workspace-123",
  ]);
});
