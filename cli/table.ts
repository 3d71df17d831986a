import { stripVTControlCharacters } from "node:util";
import type { Screen } from "./terminal.ts";

export interface Column {
  readonly title: string;
  readonly align?: "right";
  /** Gives way first where the terminal is narrow; the others keep their width. */
  readonly shrinks?: true;
  /** What is too long goes on in the next line, where it would else be cut. */
  readonly wraps?: true;
  /** Left out where the terminal is still too narrow: the last one first. */
  readonly optional?: true;
}

const gap = "  ";
const narrowest = 8;

/** Rows in columns that fit the screen; what is too long ends in "…", or goes on below. Cells may be coloured. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  screen: Screen,
): string {
  const natural = columns.map(({ title }, at) =>
    Math.max(title.length, ...rows.map((row) => visible(row[at] ?? ""))),
  );
  const widths = fit(columns, natural, screen.columns);
  const dropped = columns.findLastIndex(({ optional }) => optional);
  if (widthOf(widths) > screen.columns && dropped >= 0) {
    const without = <T>(list: readonly T[]): readonly T[] => list.toSpliced(dropped, 1);
    return renderTable(
      without(columns),
      rows.map((row) => without(row)),
      screen,
    );
  }
  const titles = columns.map(({ title }) => title.toUpperCase());
  const [head = "", ...rest] = [titles, ...rows.flatMap((row) => wrapped(row, columns, widths))].map(
    (cells) => lineOf(cells, columns, widths),
  );
  return [screen.colours.dim(head), ...rest].join("\n");
}

const widthOf = (widths: readonly number[]): number =>
  widths.reduce((sum, one) => sum + one, gap.length * (widths.length - 1));

/** Takes what is too much from the widest of the columns that shrink, again and again. */
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

function lineOf(cells: readonly string[], columns: readonly Column[], widths: readonly number[]): string {
  return columns
    .map(({ align }, at) => {
      const cell = cut(cells[at] ?? "", widths[at] ?? 0);
      const padding = " ".repeat(Math.max(0, (widths[at] ?? 0) - visible(cell)));
      return align === "right" ? `${padding}${cell}` : `${cell}${padding}`;
    })
    .join(gap)
    .trimEnd();
}

/** A row as the lines that it takes. */
function wrapped(
  row: readonly string[],
  columns: readonly Column[],
  widths: readonly number[],
): readonly (readonly string[])[] {
  const parts = row.map((cell, at) => (columns[at]?.wraps ? chunks(cell, widths[at] ?? 0) : [cell]));
  const height = Math.max(...parts.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => parts.map((part) => part[line] ?? ""));
}

/** Broken after a dot, a slash or a blank where there is one in the second half of the line. Loses its colour as `cut` does. */
function chunks(text: string, width: number): readonly string[] {
  if (visible(text) <= width || width < 2) return [text];
  const all = characters(text);
  const seam = all.slice(0, width).findLastIndex((one) => "./ ".includes(one)) + 1;
  const first = seam > width / 2 ? seam : width;
  return [all.slice(0, first).join(""), ...chunks(all.slice(first).join(""), width)];
}

const characters = (text: string): readonly string[] => Array.from(stripVTControlCharacters(text));
const visible = (text: string): number => characters(text).length;

/** A text that is cut loses its colour: half an escape sequence would colour what follows. */
function cut(text: string, width: number): string {
  if (visible(text) <= width) return text;
  const kept = characters(text).slice(0, Math.max(0, width - 1));
  return `${kept.join("")}…`;
}
