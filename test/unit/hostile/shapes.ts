const length = 1_000_000;

/** Beginnings that nothing ends, food for nested repetition, and runs of one character. */
const repeated: readonly string[] = [
  ...Array.from('a1 \n\r=<>([{"\\*😀'),
  "&a",
  "\u001B[31m",
  "\u001B]0;",
  "on=",
  "on",
  "<title",
  "<g>",
  "<a b='",
  "<![CDATA[",
  "url(#a ",
  "javascript",
  "{{artifact:chart:a",
  "{{artifact:chart:a}",
  "[[a:1",
  "a. ",
  "a/",
  '{"a":',
  "<p on=",
  " \t\r\n",
  "\r\n\n",
  " GMT",
  "1.",
  "a**",
  "sk-",
  "wanted-key-",
  "\uD83D",
  "data:\n\n",
  "data: a\n",
];

/** An opening, and what follows it a million times: blanks, which a pattern may share out in many ways, or half of a pair. */
const opened: readonly (readonly [opening: string, filler: string])[] = [
  ["<svg", " "],
  ["{{artifact:chart:", " "],
  ["on", " "],
  ["a", " "],
  ["://", "a:"],
  ["<html>", "<title"],
  ["<html><title>", " "],
  ["<!doctype html>", "<p on="],
  ["A", "a"],
  ["Mon, ", " GMT"],
  ["data: ", "a"],
];

const half = length / 2;
/** What closes again. */
const closed: readonly (readonly [name: string, make: () => string])[] = [
  ["titles that are closed late", () => `<html>${"<title ".repeat(Math.ceil(half / 7))}>${"a".repeat(half)}`],
  ["a deep list", () => `${"[".repeat(half)}${"]".repeat(half)}`],
  ["a deep error", () => `{"error":${"[".repeat(half)}${"]".repeat(half)}}`],
  ["a deep message", () => `{"message":${'{"message":'.repeat(length / 20)}1${"}".repeat(length / 20)}}`],
];

const beginnings = [...repeated.map((piece) => ["", piece] as const), ...opened];

/** A megabyte each, and an end that matches nothing. */
export const shapes: readonly (readonly [name: string, make: () => string])[] = [
  ...closed,
  ...beginnings.map(
    ([opening, filler]) =>
      [
        `${JSON.stringify(opening)} and ${JSON.stringify(filler)} again and again`,
        () => `${opening}${filler.repeat(Math.ceil(length / filler.length))}!`,
      ] as const,
  ),
];
