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

/** An opening, and what follows it again and again: blanks, which a pattern may share out in many ways, or half of a pair. */
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

/** What closes again. */
const closed: readonly (readonly [name: string, make: (length: number) => string])[] = [
  [
    "titles that are closed late",
    (length) => `<html>${"<title ".repeat(Math.ceil(length / 14))}>${"a".repeat(length / 2)}`,
  ],
  ["a deep list", (length) => `${"[".repeat(length / 2)}${"]".repeat(length / 2)}`],
  ["a deep error", (length) => `{"error":${"[".repeat(length / 2)}${"]".repeat(length / 2)}}`],
  [
    "a deep message",
    (length) => `{"message":${'{"message":'.repeat(length / 20)}1${"}".repeat(length / 20)}}`,
  ],
];

const beginnings = [...repeated.map((piece) => ["", piece] as const), ...opened];

/** Texts of a given length, each with an end that matches nothing. */
export const shapes: readonly (readonly [name: string, make: (length: number) => string])[] = [
  ...closed,
  ...beginnings.map(
    ([opening, filler]) =>
      [
        `${JSON.stringify(opening)} and ${JSON.stringify(filler)} again and again`,
        (length: number) => `${opening}${filler.repeat(Math.ceil(length / filler.length))}!`,
      ] as const,
  ),
];
