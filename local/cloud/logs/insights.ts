import { asText, compare, evaluate, evaluateGroup, isPresent, type Row } from "./insights-values.ts";
import { malformed, parseInsights, type Column, type Command } from "./insights-parse.ts";
import { fieldsOf } from "./log-fields.ts";
import type { LogLine } from "./log-store.ts";

export interface InsightsResult {
  /** Column names in order. A row has no entry for a missing value. */
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, string>>[];
  readonly scanned: number;
}

interface Table {
  readonly rows: readonly Row[];
  /** Undefined until a command names columns. */
  readonly columns: readonly string[] | undefined;
  readonly sorted: boolean;
}

const defaultLimit = 10_000;
const defaultColumns = ["@timestamp", "@message"];

/**
 * Runs a Logs Insights query over log lines. Supports fields, display, filter, stats, sort, limit and dedup.
 * @param lines oldest first
 * @throws ServiceError `MalformedQueryException` for unsupported syntax
 */
export function runInsights(query: string, lines: readonly LogLine[], limit = defaultLimit): InsightsResult {
  const start: Table = { rows: lines.map((line) => fieldsOf(line)), columns: undefined, sorted: false };
  const end = parseInsights(query).reduce(apply, start);
  const { columns = defaultColumns } = end;
  // The default order is newest first.
  const rows = end.sorted ? end.rows : end.rows.toReversed();
  return {
    columns,
    rows: rows
      .slice(0, limit)
      .map((row) => Object.fromEntries(columns.flatMap((name) => cellOf(name, row(name))))),
    scanned: lines.length,
  };
}

const cellOf = (name: string, value: unknown): readonly (readonly [string, string])[] =>
  isPresent(value)
    ? [[name, typeof value === "number" ? String(Number(value.toFixed(4))) : asText(value)]]
    : [];

function apply(table: Table, command: Command): Table {
  switch (command.kind) {
    case "filter":
      return { ...table, rows: table.rows.filter((row) => evaluate(command.condition, row) === true) };
    case "fields":
      return addColumns(table, command.columns, table.columns ?? []);
    case "display":
      return addColumns(table, command.columns, []);
    case "stats":
      return group(table, command);
    case "sort":
      return { ...table, sorted: true, rows: sort(table.rows, command.by) };
    case "limit": {
      const rows = table.sorted ? table.rows.slice(0, command.count) : table.rows.slice(-command.count);
      return { ...table, rows };
    }
    default:
      return { ...table, rows: dedup(table, command.columns) };
  }
}

function addColumns(table: Table, columns: readonly Column[], before: readonly string[]): Table {
  if (columns.length === 0) throw malformed("no column is named");
  const rows = table.rows.map((row) => extend(row, columns));
  return { ...table, rows, columns: [...new Set([...before, ...columns.map(({ name }) => name)])] };
}

function extend(row: Row, columns: readonly Column[]): Row {
  const own = new Map(columns.map(({ name, value }) => [name, evaluate(value, row)]));
  return (name) => (own.has(name) ? own.get(name) : row(name));
}

function group({ rows }: Table, { columns, by }: Command & { readonly kind: "stats" }): Table {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = JSON.stringify(by.map(({ value }) => evaluate(value, row) ?? null));
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [row]);
    else members.push(row);
  }
  const all = [...groups.values()].map((members): Row => {
    const keys = by.map(({ name, value }) => [name, members[0] && evaluate(value, members[0])] as const);
    const results = columns.map(({ name, value }) => [name, evaluateGroup(value, members)] as const);
    const own = new Map<string, unknown>([...keys, ...results]);
    return (name) => own.get(name);
  });
  return { rows: all, columns: [...by, ...columns].map(({ name }) => name), sorted: true };
}

type Keys = (Command & { readonly kind: "sort" })["by"];

function sort(rows: readonly Row[], by: Keys): readonly Row[] {
  return rows.toSorted((left, right) => {
    for (const { name, value, descending } of by) {
      const order = compareCells(valueOf(left, { name, value }), valueOf(right, { name, value }));
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
}

/** The value of a column: from an earlier command by name, or from its expression. */
const valueOf = (row: Row, { name, value }: Column): unknown => row(name) ?? evaluate(value, row);

function compareCells(left: unknown, right: unknown): number {
  if (isPresent(left) && isPresent(right)) return compare(left, right);
  return Number(isPresent(left)) - Number(isPresent(right));
}

function dedup(table: Table, columns: readonly Column[]): readonly Row[] {
  const seen = new Set<string>();
  const rows = table.sorted ? table.rows : table.rows.toReversed();
  const kept = rows.filter((row) => {
    const key = JSON.stringify(columns.map((column) => valueOf(row, column) ?? null));
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return table.sorted ? kept : kept.toReversed();
}
