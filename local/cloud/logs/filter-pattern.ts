import { ServiceError } from "../errors.ts";
import { parseExpression, type Expression, type Grammar } from "../expression.ts";
import { parseJsonObject, valueAt } from "./log-fields.ts";

const grammar: Grammar = {
  what: "A filter pattern",
  operators: [["||"], ["&&"], ["=", "!=", "<", "<=", ">", ">="]],
  prefixes: {},
  name: /\$\.[\w.[\]"@-]+|[A-Za-z_*][\w*.:@/-]*/,
};

/**
 * Compiles a filter pattern to a predicate on log lines: `{ $.runId = "…" && $.ms > 5 }`, or terms: `ERROR
 * -retry ?a ?b "two words"`.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 * @throws ServiceError `InvalidParameterException` for unsupported patterns
 */
export function compileFilter(pattern: string): (text: string) => boolean {
  const trimmed = pattern.trim();
  if (trimmed === "") return () => true;
  if (trimmed.startsWith("{")) return compileJson(trimmed);
  if (trimmed.startsWith("[") || trimmed.startsWith("%")) throw refuse(`"${pattern}"`);
  return compileTerms(trimmed);
}

const refuse = (problem: string): ServiceError =>
  new ServiceError(
    "InvalidParameterException",
    `Invalid filter pattern, as far as is known locally: ${problem}`,
  );

/** All plain terms must match, no term after a minus, and at least one of those after a question mark. */
function compileTerms(pattern: string): (text: string) => boolean {
  const terms = [...pattern.matchAll(/([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map(
    ([, sign = "", quoted, plain = ""]) => ({
      sign,
      term: quoted?.replaceAll(/\\(.)/g, "$1") ?? plain,
    }),
  );
  const of = (sign: string): readonly string[] =>
    terms.filter((term) => term.sign === sign).map(({ term }) => term);
  const [all, none, some] = [of(""), of("-"), of("?")];
  return (text) =>
    all.every((term) => text.includes(term)) &&
    !none.some((term) => text.includes(term)) &&
    (some.length === 0 || some.some((term) => text.includes(term)));
}

function compileJson(pattern: string): (text: string) => boolean {
  if (!pattern.endsWith("}")) throw refuse(`"${pattern}"`);
  const expression = parse(pattern.slice(1, -1));
  check(expression);
  return (text) => {
    const line = parseJsonObject(text);
    return line !== undefined && holds(expression, line);
  };
}

function parse(source: string): Expression {
  try {
    return parseExpression(source, grammar);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}

const comparisons: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
};

/** @throws ServiceError unless every operand is a field compared with a constant */
function check(expression: Expression): void {
  if (expression.kind !== "binary") throw refuse("a comparison was expected");
  const { operator, left, right } = expression;
  if (operator === "||" || operator === "&&") {
    check(left);
    check(right);
    return;
  }
  if (left.kind !== "name" || !left.name.startsWith("$."))
    throw refuse("a field like $.runId was expected on the left");
  if (right.kind !== "text" && right.kind !== "number" && right.kind !== "name") {
    throw refuse("a constant was expected on the right");
  }
}

function holds(expression: Expression, line: object): boolean {
  if (expression.kind !== "binary") return false;
  const { operator, left, right } = expression;
  if (operator === "||") return holds(left, line) || holds(right, line);
  if (operator === "&&") return holds(left, line) && holds(right, line);
  const field = left.kind === "name" ? left.name.slice(2) : "";
  const found = valueAt(line, field);
  if (operator === "=") return equal(found, right);
  if (operator === "!=") return found !== undefined && !equal(found, right);
  const compare = comparisons[operator];
  return typeof found === "number" && right.kind === "number" && compare?.(found, right.value) === true;
}

/** `*` in a text matches any characters. */
function equal(found: unknown, wanted: Expression): boolean {
  if (wanted.kind === "number") return found === wanted.value;
  if (typeof found !== "string" && typeof found !== "number" && typeof found !== "boolean") return false;
  const text = wanted.kind === "text" ? wanted.value : wanted.kind === "name" ? wanted.name : "";
  const parts = text.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(String(found));
}
