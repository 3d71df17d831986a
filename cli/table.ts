import { printable } from "../lib/core/printable.ts";
import type { Screen } from "./terminal.ts";

export interface Column {
  readonly title: string;
  readonly align?: "right";
  /** Shrinks first if the terminal is narrow. Other columns keep their width. */
  readonly shrinks?: true;
  /** Wraps long text instead of cutting it. */
  readonly wraps?: true;
  /** Left out if the terminal is still too narrow, the last one first. */
  readonly optional?: true;
}

/** Text from outside, and the colour to show it in. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

const gap = "  ";
const narrowest = 8;

interface Part {
  /** The characters of one line. */
  readonly text: readonly string[];
  readonly paint: (text: string) => string;
}

/** Renders rows in columns that fit the screen. Text that is too long is cut with "…", or wrapped. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  screen: Screen,
): string {
  return layOut(
    columns,
    rows.map((row) => row.map(partOf)),
    screen,
  );
}

function partOf(cell: Cell): Part {
  const { text, paint } = typeof cell === "string" ? { text: cell, paint: String } : cell;
  return { text: Array.from(printable(text)), paint };
}

function layOut(columns: readonly Column[], rows: readonly (readonly Part[])[], screen: Screen): string {
  const natural = columns.map(({ title }, at) =>
    Math.max(title.length, ...rows.map((row) => Math.min(row[at]?.text.length ?? 0, screen.columns))),
  );
  const widths = fit(columns, natural, screen.columns);
  const dropped = columns.findLastIndex(({ optional }) => optional);
  if (widthOf(widths) > screen.columns && dropped >= 0) {
    const without = <T>(list: readonly T[]): readonly T[] => list.toSpliced(dropped, 1);
    return layOut(
      without(columns),
      rows.map((row) => without(row)),
      screen,
    );
  }
  const titles = columns.map(({ title }) => partOf(title.toUpperCase()));
  const [head = "", ...rest] = [titles, ...rows.flatMap((row) => wrapped(row, columns, widths))].map(
    (parts) => lineOf(parts, columns, widths),
  );
  return [screen.colours.dim(head), ...rest].join("\n");
}

const widthOf = (widths: readonly number[]): number =>
  widths.reduce((sum, one) => sum + one, gap.length * (widths.length - 1));

/** Narrows the widest of the shrinking columns until the table fits. */
function fit(columns: readonly Column[], natural: readonly number[], width: number): readonly number[] {
  const widths = [...natural];
  while (widthOf(widths) > width) {
    const candidates = widths.flatMap((one, at) =>
      columns[at]?.shrinks && one > narrowest ? [{ one, at }] : [],
    );
    const widest = candidates.toSorted((a, b) => b.one - a.one)[0];
    if (!widest) break;
    widths[widest.at] = widest.one - 1;
  }
  return widths;
}

function lineOf(parts: readonly Part[], columns: readonly Column[], widths: readonly number[]): string {
  return columns
    .map(({ align }, at) => {
      const width = widths[at] ?? 0;
      const { text = [], paint = String } = parts[at] ?? {};
      const cell = text.length <= width ? text : [...text.slice(0, Math.max(0, width - 1)), "…"];
      const padding = " ".repeat(Math.max(0, width - cell.length));
      const painted = cell.length === 0 ? "" : paint(cell.join(""));
      return align === "right" ? `${padding}${painted}` : `${painted}${padding}`;
    })
    .join(gap)
    .trimEnd();
}

/** The lines of one row. */
function wrapped(
  row: readonly Part[],
  columns: readonly Column[],
  widths: readonly number[],
): readonly (readonly Part[])[] {
  const cells = row.map(({ text, paint }, at) => {
    const lines = columns[at]?.wraps ? chunks(text, widths[at] ?? 0) : [text];
    return { lines, paint };
  });
  const height = Math.max(...cells.map(({ lines }) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    cells.map(({ lines, paint }) => ({ text: lines[line] ?? [], paint })),
  );
}

/** Breaks after a dot, a slash or a space if there is one in the second half of the line. */
function chunks(text: readonly string[], width: number): readonly (readonly string[])[] {
  if (width < 2) return [text];
  const lines: (readonly string[])[] = [];
  let from = 0;
  while (text.length - from > width) {
    const line = text.slice(from, from + width);
    const seam = line.findLastIndex((one) => "./ ".includes(one)) + 1;
    const taken = seam > width / 2 ? seam : width;
    lines.push(line.slice(0, taken));
    from += taken;
  }
  return [...lines, text.slice(from)];
}
