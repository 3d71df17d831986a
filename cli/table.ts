import Table from "cli-table3";
import widthOnScreen from "string-width";
import { keepHead, printable } from "../lib/core/text.ts";
import { isPiped, type Screen } from "./terminal.ts";

export interface Column {
  readonly title: string;
  readonly align?: "right";
  /** Shrinks first if the terminal is narrow. Other columns keep their width. */
  readonly shrinks?: true;
  /** How far it shrinks; default: 8 characters. */
  readonly least?: number;
  /** Shown in a pipe only, where every column has one place whatever the stack has. */
  readonly pipedOnly?: true;
  /** Wraps long text instead of cutting it. */
  readonly wraps?: true;
  /** Left out if it is empty, or if the terminal is still too narrow: the lowest number first. */
  readonly optional?: number;
}

/** Text from outside. */
export type Cell =
  | string
  | {
      readonly text: string;
      readonly paint?: (text: string) => string;
      /** In a pipe, instead of the text: a whole id, a time that a program can read. */
      readonly piped?: string;
    };

const gap = "  ";
const narrowest = 8;
/** Longer texts are cut before they are laid out, which takes more than linear time. */
const longestText = 2_000;

const borders = ["top", "mid", "bottom"].flatMap((at) => [at, `${at}-mid`, `${at}-left`, `${at}-right`]);
const sides = ["left", "left-mid", "mid-mid", "right", "right-mid"];
/** No lines, only a gap between two columns. */
const noLines = { ...Object.fromEntries([...borders, ...sides].map((at) => [at, ""])), middle: gap };

/** Renders rows in columns that fit the screen. Text that is too long is cut with "…", or wrapped. In a pipe: `pipedLine`s. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  screen: Screen,
): string {
  if (isPiped(screen)) return rows.map(pipedLine).join("\n");
  const texts = rows.map((row) => row.map(textOf));
  const isShown = ({ pipedOnly, optional }: Column, at: number): boolean =>
    !pipedOnly && (optional === undefined || texts.some((row) => row[at] !== ""));
  if (!columns.every(isShown)) {
    const shown = columns.map(isShown);
    const kept = <T>(list: readonly T[]): readonly T[] => list.filter((_, at) => shown[at]);
    return renderTable(kept(columns), rows.map(kept), screen);
  }
  const natural = columns.map(({ title }, at) =>
    Math.max(title.length, ...texts.map((row) => Math.min(widthOnScreen(row[at] ?? ""), screen.columns))),
  );
  const widths = fit(columns, natural, screen.columns);
  const first = Math.min(...columns.map(({ optional = Infinity }) => optional));
  const dropped = columns.findIndex(({ optional }) => optional === first);
  if (widthOf(widths) > screen.columns && dropped >= 0) {
    const without = <T>(list: readonly T[]): readonly T[] => list.toSpliced(dropped, 1);
    return renderTable(without(columns), rows.map(without), screen);
  }
  const table = new Table({
    chars: noLines,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
    colWidths: [...widths],
    colAligns: columns.map(({ align }) => align ?? "left"),
  });
  table.push(columns.map(({ title }) => screen.colours.dim(title.toUpperCase())));
  for (const row of rows)
    table.push(row.map((cell, at) => painted(cell, columns[at]?.wraps ? widths[at] : undefined)));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** One fact for programs: cells whole and separated by tabs, without headings, so that `cut` and `awk` find them. */
export const pipedLine = (cells: readonly Cell[]): string =>
  cells.map((cell) => printable(typeof cell === "string" ? cell : (cell.piped ?? cell.text))).join("\t");

const textOf = (cell: Cell): string =>
  keepHead(printable(typeof cell === "string" ? cell : cell.text), longestText);

function painted(cell: Cell, wrapAt = Number.POSITIVE_INFINITY): string {
  const paint = typeof cell === "string" ? String : (cell.paint ?? String);
  return linesOf(textOf(cell), wrapAt)
    .map((line) => (line === "" ? "" : paint(line)))
    .join("\n");
}

/** Breaks after a dot, a slash or a space if there is one in the second half of the line. */
function linesOf(text: string, width: number): readonly string[] {
  if (text.length <= width || width < 2) return [text];
  const line = keepHead(text, width);
  const seam = Math.max(...[".", "/", " "].map((one) => line.lastIndexOf(one))) + 1;
  const taken = seam > width / 2 ? seam : line.length;
  return [text.slice(0, taken), ...linesOf(text.slice(taken), width)];
}

const widthOf = (widths: readonly number[]): number =>
  widths.reduce((sum, one) => sum + one, gap.length * (widths.length - 1));

/** Narrows the widest of the shrinking columns until the table fits. */
function fit(columns: readonly Column[], natural: readonly number[], width: number): readonly number[] {
  const widths = [...natural];
  while (widthOf(widths) > width) {
    const candidates = widths.flatMap((one, at) =>
      columns[at]?.shrinks && one > (columns[at]?.least ?? narrowest) ? [{ one, at }] : [],
    );
    const widest = candidates.toSorted((a, b) => b.one - a.one)[0];
    if (!widest) break;
    widths[widest.at] = widest.one - 1;
  }
  return widths;
}
