import { percentile } from "../monitoring/statistics.ts";
import type { Binary, Expression } from "../expression.ts";
import { malformed } from "./insights-parse.ts";
import { timeText } from "./log-fields.ts";

/** Returns a row's value by name. */
export type Row = (name: string) => unknown;

const asNumber = (value: unknown): number =>
  typeof value === "number"
    ? value
    : typeof value === "string" && value.trim() !== ""
      ? Number(value)
      : Number.NaN;

export const asText = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : (JSON.stringify(value) ?? "");

export const isPresent = (value: unknown): boolean => value !== undefined && value !== null;

const isTrue = (value: unknown): boolean => value === true || value === 1 || value === "true";

type Scalar = (args: readonly unknown[]) => unknown;

const numeric =
  (change: (value: number) => number): Scalar =>
  ([value]) =>
    isPresent(value) ? change(asNumber(value)) : undefined;
const textual =
  (change: (text: string) => unknown): Scalar =>
  ([value]) =>
    isPresent(value) ? change(asText(value)) : undefined;

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html */
const scalars: Readonly<Record<string, Scalar>> = {
  abs: numeric(Math.abs),
  ceil: numeric(Math.ceil),
  floor: numeric(Math.floor),
  greatest: (args) => Math.max(...args.filter(isPresent).map(asNumber)),
  least: (args) => Math.min(...args.filter(isPresent).map(asNumber)),
  strlen: textual((text) => text.length),
  tolower: textual((text) => text.toLowerCase()),
  toupper: textual((text) => text.toUpperCase()),
  trim: textual((text) => text.trim()),
  concat: (args) => args.map(asText).join(""),
  coalesce: (args) => args.find(isPresent),
  ispresent: ([value]) => isPresent(value),
  isempty: ([value]) => !isPresent(value) || value === "",
  isblank: ([value]) => !isPresent(value) || asText(value).trim() === "",
  frommillis: ([value]) => (isPresent(value) ? timeText(asNumber(value)) : undefined),
  tomillis: ([value]) => (isPresent(value) ? timeOf(value) : undefined),
};

const timeOf = (value: unknown): number => Date.parse(`${asText(value).replace(" ", "T")}Z`);

type Aggregate = (values: readonly unknown[], parameter: unknown) => unknown;

const ofNumbers =
  (over: (values: readonly number[], parameter: number) => number): Aggregate =>
  (values, parameter) => {
    const numbers = values.map(asNumber).filter((value) => !Number.isNaN(value));
    return numbers.length === 0 ? undefined : over(numbers, asNumber(parameter));
  };

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const aggregates: Readonly<Record<string, Aggregate>> = {
  count: (values) => values.length,
  count_distinct: (values) => new Set(values.map(asText)).size,
  sum: ofNumbers(sum),
  avg: ofNumbers((values) => sum(values) / values.length),
  min: ofNumbers((values) => Math.min(...values)),
  max: ofNumbers((values) => Math.max(...values)),
  pct: ofNumbers(percentile),
  median: ofNumbers((values) => percentile(values, 50)),
  earliest: (values) => values.at(0),
  latest: (values) => values.at(-1),
};

/** The value of an expression for one row. @throws ServiceError `MalformedQueryException` */
export function evaluate(expression: Expression, row: Row): unknown {
  switch (expression.kind) {
    case "number":
    case "text":
      return expression.value;
    case "name":
      return row(expression.name.replaceAll("`", ""));
    case "list":
      return expression.items.map((item) => evaluate(item, row));
    case "unary":
      return expression.operator === "not"
        ? !isTrue(evaluate(expression.operand, row))
        : -asNumber(evaluate(expression.operand, row));
    case "binary":
      return evaluateBinary(expression, row);
    case "call":
      return evaluateCall(expression.name.toLowerCase(), expression.args, row);
    default:
      throw malformed(`/${expression.value}/ stands where no pattern can`);
  }
}

function evaluateCall(name: string, args: readonly Expression[], row: Row): unknown {
  if (name === "bin") return binOf(args[0], row);
  const call = scalars[name];
  if (call === undefined) throw malformed(`the function ${name}`);
  return call(args.map((arg) => evaluate(arg, row)));
}

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `bin(5m)`: the start of the line's five-minute period. */
function binOf(width: Expression | undefined, row: Row): string {
  const [, count, unit = ""] = /^(\d+)(s|m|h|d)$/.exec(width?.kind === "text" ? width.value : "") ?? [];
  const widthMs = Number(count) * (unitsMs[unit] ?? Number.NaN);
  if (Number.isNaN(widthMs)) throw malformed("bin takes a time like 5m");
  return timeText(Math.floor(timeOf(row("@timestamp")) / widthMs) * widthMs).slice(0, -4);
}

/** The value of an expression for a group of rows: aggregates use all rows, everything else the first. */
export function evaluateGroup(expression: Expression, rows: readonly Row[]): unknown {
  if (expression.kind === "binary") {
    const [left, right] = [expression.left, expression.right].map((side) => evaluateGroup(side, rows));
    return operate(expression.operator, left, right);
  }
  if (expression.kind !== "call") return rows[0] && evaluate(expression, rows[0]);
  const name = expression.name.toLowerCase();
  const aggregate = aggregates[name];
  if (aggregate === undefined) {
    const scalar = scalars[name];
    if (scalar === undefined) throw malformed(`the function ${name}`);
    return scalar(expression.args.map((arg) => evaluateGroup(arg, rows)));
  }
  const [of, parameter] = expression.args;
  const all = of === undefined || (of.kind === "name" && of.name === "*");
  const values = all ? rows.map(() => 1) : rows.map((row) => evaluate(of, row)).filter(isPresent);
  return aggregate(values, parameter?.kind === "number" ? parameter.value : undefined);
}

function evaluateBinary({ operator, left, right }: Binary, row: Row): unknown {
  const value = evaluate(left, row);
  if (operator === "and") return isTrue(value) && isTrue(evaluate(right, row));
  if (operator === "or") return isTrue(value) || isTrue(evaluate(right, row));
  if (operator === "like" || operator === "=~") return matches(value, right, row);
  if (operator === "not like") return !matches(value, right, row);
  return operate(operator, value, evaluate(right, row));
}

function matches(value: unknown, pattern: Expression, row: Row): boolean {
  if (!isPresent(value)) return false;
  if (pattern.kind !== "regex") return asText(value).includes(asText(evaluate(pattern, row)));
  const [, flags = "", source = ""] = /^(?:\(\?(i)\))?(.*)$/s.exec(pattern.value) ?? [];
  return new RegExp(source, flags).test(asText(value));
}

const arithmetic: Readonly<Record<string, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
  "^": (left, right) => left ** right,
};

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

function operate(operator: string, left: unknown, right: unknown): unknown {
  const calculate = arithmetic[operator];
  if (calculate !== undefined) {
    const result = calculate(asNumber(left), asNumber(right));
    return Number.isFinite(result) ? result : undefined;
  }
  if (operator === "in") return Array.isArray(right) && right.some((item) => compare(left, item) === 0);
  if (operator === "not in") return Array.isArray(right) && !right.some((item) => compare(left, item) === 0);
  const fits = comparisons[operator];
  if (fits === undefined) throw malformed(`the operator ${operator}`);
  // A missing value is different from everything, and neither less nor greater.
  return isPresent(left) && isPresent(right) ? fits(compare(left, right)) : operator === "!=";
}

/** Compares as numbers if both are numbers, otherwise as text. */
export function compare(left: unknown, right: unknown): number {
  const [first, second] = [asNumber(left), asNumber(right)];
  if (!Number.isNaN(first) && !Number.isNaN(second)) return first - second;
  const [one, other] = [asText(left), asText(right)];
  return one === other ? 0 : one < other ? -1 : 1;
}
