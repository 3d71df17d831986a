export interface Wrapping {
  /** The screen's width; Infinity: no wrapping. */
  readonly columns: number;
  /** Indentation of every line except the first, which the caller has already started. */
  readonly indent: number;
}

/** Wraps prose at spaces. Keeps long words whole, and keeps the text's own line breaks. */
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

const noBreak = "\u00A0";

/** Wraps a command for the shell, which reads it as one line: each line but the last ends with a backslash. */
export function wrapCommand(line: string, { columns, indent }: Wrapping): string {
  const whole = line.replaceAll(/"[^"]*"/g, (quoted) => quoted.replaceAll(" ", noBreak));
  const lines = wrap(whole, { columns: columns - 2, indent }).split("\n");
  return lines.join(" \\\n").replaceAll(noBreak, " ");
}
