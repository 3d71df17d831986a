const length = 1_000_000;

/** Beginnings that nothing ends, food for nested repetition, and runs of one character. */
const repeated: readonly string[] = [
  "a",
  "1",
  " ",
  "\n",
  "\r",
  "=",
  "<",
  ">",
  "&a",
  "(",
  "[",
  "{",
  '"',
  "\\",
  "😀",
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
];

/** An opening, and what follows it a million times: blanks, which a pattern may share out in many ways, or half of a pair. */
const opened: readonly (readonly [opening: string, filler: string])[] = [
  ["<svg", " "],
  ["{{artifact:chart:", " "],
  ["on", " "],
  ["a", " "],
  ["://", "a:"],
];

const beginnings = [...repeated.map((piece) => ["", piece] as const), ...opened];

/** A megabyte each, and an end that matches nothing. */
export const shapes: readonly (readonly [name: string, make: () => string])[] = beginnings.map(
  ([opening, filler]) => [
    `${JSON.stringify(opening)} and ${JSON.stringify(filler)} again and again`,
    () => `${opening}${filler.repeat(Math.ceil(length / filler.length))}!`,
  ],
);
