import { isObject } from "./fit.ts";

/**
 * The keywords that strict tool schemas may use. Source: OpenAI's structured outputs guide ("Supported
 * schemas"), and the API's errors for others ("'minLength' is not permitted").
 */
const permitted: ReadonlySet<string> = new Set(
  (
    "$schema $id $ref $defs definitions title description type enum const anyOf properties required " +
    "additionalProperties items minItems maxItems pattern format multipleOf minimum maximum " +
    "exclusiveMinimum exclusiveMaximum"
  ).split(" "),
);

type Context = readonly (string | number)[];

/** The first violation of strict mode, as the API words it; undefined if the schema is accepted. */
export function strictSchemaProblem(schema: unknown): string | undefined {
  if (!isObject(schema) || schema["type"] !== "object") {
    const type = isObject(schema) && typeof schema["type"] === "string" ? schema["type"] : "None";
    return `schema must be a JSON Schema of 'type: "object"', got 'type: "${type}"'.`;
  }
  return problemAt(schema, []);
}

function problemAt(schema: unknown, context: Context): string | undefined {
  if (!isObject(schema)) return undefined;
  const unknown = Object.keys(schema).find((keyword) => !permitted.has(keyword));
  if (unknown !== undefined) return at(context, `'${unknown}' is not permitted.`);
  return patternProblem(schema, context) ?? objectProblem(schema, context) ?? childProblem(schema, context);
}

/** The API's regular expressions do not support look-around. */
function patternProblem(schema: Readonly<Record<string, unknown>>, context: Context): string | undefined {
  const pattern = schema["pattern"];
  if (typeof pattern !== "string" || !/\(\?<?[=!]/.test(pattern)) return undefined;
  return at(context, "'pattern' holds look-around, which is not supported.");
}

function objectProblem(schema: Readonly<Record<string, unknown>>, context: Context): string | undefined {
  const type = schema["type"];
  if (type !== "object" && !(Array.isArray(type) && type.includes("object"))) return undefined;
  if (schema["additionalProperties"] !== false) {
    return at(context, "'additionalProperties' is required to be supplied and to be false.");
  }
  const names = isObject(schema["properties"]) ? Object.keys(schema["properties"]) : [];
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const missing = names.find((name) => !required.includes(name));
  if (missing !== undefined) {
    const rule =
      "'required' is required to be supplied and to be an array including every key in properties.";
    return at(context, `${rule} Missing '${missing}'.`);
  }
  const extra = required.find((name) => typeof name !== "string" || !names.includes(name));
  return extra === undefined
    ? undefined
    : at(context, `Extra required key ${JSON.stringify(extra)} supplied.`);
}

function childProblem(schema: Readonly<Record<string, unknown>>, context: Context): string | undefined {
  const named = ["properties", "$defs", "definitions"].flatMap((keyword) => {
    const children = schema[keyword];
    return isObject(children)
      ? Object.entries(children).map(([name, child]) => ({ child, context: [...context, keyword, name] }))
      : [];
  });
  const branches: readonly unknown[] = Array.isArray(schema["anyOf"]) ? schema["anyOf"] : [];
  const children = [
    ...named,
    { child: schema["items"], context: [...context, "items"] },
    ...branches.map((child, index) => ({ child, context: [...context, "anyOf", String(index)] })),
  ];
  for (const { child, context: inner } of children) {
    const problem = problemAt(child, inner);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function at(context: Context, problem: string): string {
  const parts = context.map((part) => `'${part}'`);
  const tuple = parts.length === 1 ? `${parts[0]},` : parts.join(", ");
  return `In context=(${tuple}), ${problem}`;
}
