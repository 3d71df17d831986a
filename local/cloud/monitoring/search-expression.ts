import { ServiceError } from "../errors.ts";
import { parseExpression, type Expression, type Grammar } from "../expression.ts";
import type { MetricId } from "./metric-store.ts";

const grammar: Grammar = {
  what: "A search expression",
  operators: [["or"], ["and"], ["="]],
  prefixes: { not: 2 },
  name: /[^\s"'()=]+/,
  implicit: "and",
};

/**
 * Finds the metrics for a SEARCH text: `{Namespace,dimension,…} MetricName="X" dimension="y"`.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
 * @throws ServiceError `ValidationError`
 */
export function searchMetrics(text: string, metrics: readonly MetricId[]): readonly MetricId[] {
  const [, schema, rest = text] = /^\s*\{([^}]*)\}(.*)$/s.exec(text) ?? [];
  const [namespace, ...dimensions] = schema === undefined ? [] : partsOf(schema);
  const condition = rest.trim() === "" ? undefined : parseExpression(rest, grammar);
  const wanted = dimensions.toSorted().join();
  return metrics.filter((metric) => {
    const names = Object.keys(metric.dimensions).toSorted().join();
    if (namespace !== undefined && (metric.namespace !== namespace || names !== wanted)) return false;
    return condition === undefined || holds(condition, metric);
  });
}

const partsOf = (schema: string): readonly string[] =>
  schema.split(",").map((part) => part.trim().replace(/^"(.*)"$/, "$1"));

function holds(expression: Expression, metric: MetricId): boolean {
  if (expression.kind === "name" || expression.kind === "text") {
    return wordsOf(metric).some((word) => fits(word, expression));
  }
  if (expression.kind === "unary") return !holds(expression.operand, metric);
  if (expression.kind === "binary") {
    const { operator, left, right } = expression;
    if (operator === "and") return holds(left, metric) && holds(right, metric);
    if (operator === "or") return holds(left, metric) || holds(right, metric);
    if (left.kind === "name" || left.kind === "text") {
      const key = left.kind === "name" ? left.name : left.value;
      return alternatives(right).some((value) => fits(fieldOf(metric, key), value));
    }
  }
  throw new ServiceError(
    "ValidationError",
    `A search expression is not understood locally: ${expression.kind}`,
  );
}

/** `key=(a OR b)` */
function alternatives(value: Expression): readonly Expression[] {
  const either = value.kind === "binary" && value.operator === "or";
  return either ? [...alternatives(value.left), ...alternatives(value.right)] : [value];
}

/** A quoted value must match completely, any other in part. */
function fits(found: string | undefined, wanted: Expression): boolean {
  if (found === undefined) return false;
  if (wanted.kind === "text") return found === wanted.value;
  const part = wanted.kind === "number" ? String(wanted.value) : wanted.kind === "name" ? wanted.name : "";
  return found.toLowerCase().includes(part.toLowerCase());
}

function fieldOf({ namespace, name, dimensions }: MetricId, key: string): string | undefined {
  const fixed: Readonly<Record<string, string>> = { metricname: name, namespace };
  const own = Object.entries(dimensions).find(([dimension]) => dimension.toLowerCase() === key.toLowerCase());
  return own?.[1] ?? fixed[key.replace(/^:aws\./i, "").toLowerCase()];
}

const wordsOf = ({ namespace, name, dimensions }: MetricId): readonly string[] => [
  namespace,
  name,
  ...Object.entries(dimensions).flat(),
];

/** A label from the properties in which the metric differs from the others that were found. */
export function labelOf(metric: MetricId, among: readonly MetricId[]): string {
  const differs = (of: (one: MetricId) => string | undefined): boolean =>
    among.some((one) => of(one) !== of(metric));
  const names = differs(({ name }) => name) ? [metric.name] : [];
  const values = Object.entries(metric.dimensions).filter(([key]) =>
    differs(({ dimensions }) => dimensions[key]),
  );
  const parts = [...values.map(([, value]) => value), ...names];
  return parts.length === 0 ? metric.name : parts.join(" ");
}
