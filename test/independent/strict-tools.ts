/** OpenAI's rules for strict function tools (guide "Structured Outputs", "Supported schemas"), and how a model follows them. */

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const keywords = new Set(
  (
    "type properties required additionalProperties items anyOf enum const description title $ref $defs " +
    "pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems minLength maxLength"
  ).split(" "),
);

/** The problems for which OpenAI would refuse a request's `tools`. */
export function toolProblems(tools: unknown): readonly string[] {
  if (!Array.isArray(tools)) return ["tools is not an array"];
  return tools.flatMap((tool: unknown, at) => {
    const path = `tools[${at}]`;
    if (!isFields(tool) || tool["type"] !== "function" || tool["strict"] !== true)
      return [`${path} is not a strict function`];
    const named = /^[a-zA-Z0-9_-]{1,64}$/.test(String(tool["name"])) ? [] : [`${path}.name`];
    const root = tool["parameters"];
    const rooted = isFields(root) && root["type"] === "object" ? [] : [`${path}.parameters is not an object`];
    return [...named, ...rooted, ...schemaProblems(root, `${path}.parameters`)];
  });
}

function schemaProblems(schema: unknown, path: string): readonly string[] {
  if (!isFields(schema)) return [`${path} is not a schema`];
  const unknown = Object.keys(schema).filter((keyword) => !keywords.has(keyword));
  const { type, properties, items, anyOf } = schema;
  const names = isFields(properties) ? Object.keys(properties) : [];
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const open = type === "object" && schema["additionalProperties"] !== false;
  return [
    ...unknown.map((keyword) => `${path}: "${keyword}" is not permitted`),
    ...(open ? [`${path}: additionalProperties has to be false`] : []),
    ...names.filter((name) => !required.includes(name)).map((name) => `${path}.${name} has to be required`),
    ...names.flatMap((name) => schemaProblems(isFields(properties) && properties[name], `${path}.${name}`)),
    ...(items === undefined ? [] : schemaProblems(items, `${path}[]`)),
    ...(Array.isArray(anyOf) ? anyOf.flatMap((one: unknown) => schemaProblems(one, `${path}|`)) : []),
  ];
}

/** The arguments as a strict model writes them: every property is present, null where it has no value. */
export function asStrict(value: unknown, schema: unknown): unknown {
  if (!isFields(schema)) return value;
  const shape = Array.isArray(schema["anyOf"])
    ? schema["anyOf"].find((one: unknown) => isFields(one) && one["type"] !== "null")
    : schema;
  if (!isFields(shape)) return value;
  if (Array.isArray(value)) return value.map((entry: unknown) => asStrict(entry, shape["items"]));
  const { properties } = shape;
  if (!isFields(value) || !isFields(properties)) return value;
  const strict = Object.entries(properties).map(([name, inner]) => [
    name,
    Object.hasOwn(value, name) ? asStrict(value[name], inner) : null,
  ]);
  // Keeps a field that the schema lacks, to show that our reading of the API page and the tool's differ.
  return { ...value, ...Object.fromEntries(strict) };
}
