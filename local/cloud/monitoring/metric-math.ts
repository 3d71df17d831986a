import { parseExpression, type Binary, type Expression, type Grammar } from "../expression.ts";
import { mathFunctions } from "./math-functions.ts";
import { mapSeries, refuse, type MathScope, type MathValue, type Series } from "./math-values.ts";

const grammar: Grammar = {
  what: "A metric math expression",
  operators: [["or", "||"], ["and", "&&"], ["==", "!=", "<", "<=", ">", ">="], ["+", "-"], ["*", "/"], ["^"]],
  prefixes: { "-": 5 },
  name: /[a-zA-Z_][a-zA-Z0-9_]*/,
};

const truth = (holds: boolean): number => (holds ? 1 : 0);

const operators: Readonly<Record<string, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "^": (left, right) => left ** right,
  "==": (left, right) => truth(left === right),
  "!=": (left, right) => truth(left !== right),
  "<": (left, right) => truth(left < right),
  "<=": (left, right) => truth(left <= right),
  ">": (left, right) => truth(left > right),
  ">=": (left, right) => truth(left >= right),
  and: (left, right) => truth(left !== 0 && right !== 0),
  or: (left, right) => truth(left !== 0 || right !== 0),
};

const aliases: Readonly<Record<string, string>> = { "&&": "and", "||": "or" };

/**
 * Evaluates a metric math expression.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 * @throws ServiceError `ValidationError` for unsupported expressions
 */
export function evaluateMath(source: string, scope: MathScope): MathValue {
  return evaluate(parseExpression(source, grammar), scope);
}

function evaluate(expression: Expression, scope: MathScope): MathValue {
  switch (expression.kind) {
    case "number":
      return { kind: "scalar", value: expression.value };
    case "text":
      return { kind: "text", text: expression.value };
    case "name":
      if (expression.name === "REPEAT") return { kind: "text", text: "REPEAT" }; // an argument of FILL
      return scope.valueOf(expression.name);
    case "list":
      return { kind: "array", series: expression.items.flatMap((item) => seriesOf(evaluate(item, scope))) };
    case "unary":
      return combine("-", { kind: "scalar", value: 0 }, evaluate(expression.operand, scope));
    case "binary":
      return evaluateBinary(expression, scope);
    case "call": {
      const call = mathFunctions[expression.name.toUpperCase()];
      if (call === undefined) throw refuse(`the function ${expression.name}`);
      return call(
        expression.args.map((arg) => evaluate(arg, scope)),
        scope,
      );
    }
    default:
      throw refuse(`/${expression.value}/`);
  }
}

function evaluateBinary({ operator, left, right }: Binary, scope: MathScope): MathValue {
  return combine(aliases[operator] ?? operator, evaluate(left, scope), evaluate(right, scope));
}

/** Combines two series over the periods in which both have a value. */
function combine(operator: string, left: MathValue, right: MathValue): MathValue {
  const apply = operators[operator];
  if (apply === undefined || left.kind === "text" || right.kind === "text") {
    throw refuse(`${operator} between ${left.kind} and ${right.kind}`);
  }
  if (left.kind === "scalar" && right.kind === "scalar") {
    return { kind: "scalar", value: apply(left.value, right.value) };
  }
  if (left.kind === "array" && right.kind === "array")
    throw refuse(`${operator} between two lists of series`);
  if (left.kind === "array" || right.kind === "array") {
    const pairs = pairsOf(left, right);
    return {
      kind: "array",
      series: pairs.flatMap((pair) => seriesOf(combine(operator, pair.left, pair.right))),
    };
  }
  if (left.kind === "scalar") return onSeries(right, (value) => apply(left.value, value));
  if (right.kind === "scalar") return onSeries(left, (value) => apply(value, right.value));
  return onSeries(left, (value, atMs) => {
    const other = right.kind === "series" ? right.series.points.get(atMs) : undefined;
    return other === undefined ? undefined : apply(value, other);
  });
}

function pairsOf(
  left: MathValue,
  right: MathValue,
): readonly { readonly left: MathValue; readonly right: MathValue }[] {
  if (left.kind === "array")
    return left.series.map((series) => ({ left: { kind: "series", series }, right }));
  if (right.kind === "array")
    return right.series.map((series) => ({ left, right: { kind: "series", series } }));
  return [{ left, right }];
}

function onSeries(value: MathValue, change: (value: number, atMs: number) => number | undefined): MathValue {
  if (value.kind !== "series") throw refuse(`a time series was expected, not ${value.kind}`);
  return { kind: "series", series: mapSeries(value.series, change) };
}

function seriesOf(value: MathValue): readonly Series[] {
  if (value.kind === "series") return [value.series];
  if (value.kind === "array") return value.series;
  throw refuse(`a list of time series was expected, not ${value.kind}`);
}
