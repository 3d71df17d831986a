export interface Wrapping {
  /** Of the screen; Infinity: nothing is wrapped. */
  readonly columns: number;
  /** Of every line but the first, which the caller has begun already. */
  readonly indent: number;
}

/** Prose over several lines, broken at spaces; a word that is too long stays whole. Line breaks of its own stay. */
export function wrap(text: string, { columns, indent }: Wrapping): string {
  const width = Math.max(20, columns - indent);
  const lines = text.split("\n").flatMap((line) => wrapLine(line, width));
  return lines.join(`\n${" ".repeat(indent)}`);
}

function wrapLine(line: string, width: number): readonly string[] {
  const lines: string[] = [];
  let present = "";
  for (const word of line.split(" ")) {
    const longer = present === "" ? word : `${present} ${word}`;
    if (longer.length > width && present.trim() !== "") {
      lines.push(present);
      present = word;
    } else {
      present = longer;
    }
  }
  return [...lines, present];
}
