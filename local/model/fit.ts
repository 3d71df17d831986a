type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Adapts canned arguments to a tool's schema, as constrained decoding does for a real model: removes unknown
 * properties, and sets missing required ones to null (or to the type's empty value).
 */
export function fitToSchema(value: unknown, schema: unknown): unknown {
  if (!isObject(schema)) return value;
  const branches = schema["anyOf"];
  if (Array.isArray(branches)) {
    const branch = branches.find((candidate) => admits(candidate, value));
    return branch === undefined ? emptyValue(schema) : fitToSchema(value, branch);
  }
  if (!admits(schema, value)) return emptyValue(schema);
  if (Array.isArray(value)) return value.map((item: unknown) => fitToSchema(item, schema["items"]));
  return isObject(value) ? fitObject(value, schema) : value;
}

function fitObject(value: JsonObject, schema: JsonObject): JsonObject {
  const properties = schema["properties"];
  if (!isObject(properties)) return value;
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]): [string, unknown][] => {
      if (value[name] !== undefined) return [[name, fitToSchema(value[name], property)]];
      return required.includes(name) ? [[name, emptyValue(property)]] : [];
    }),
  );
}

function admits(schema: unknown, value: unknown): boolean {
  if (!isObject(schema)) return true;
  if ("const" in schema) return schema["const"] === value;
  if (Array.isArray(schema["enum"])) return schema["enum"].includes(value);
  if (Array.isArray(schema["anyOf"])) return schema["anyOf"].some((branch) => admits(branch, value));
  const types = typesOf(schema);
  return types.length === 0 || types.some((type) => typeChecks[type]?.(value) ?? false);
}

function emptyValue(schema: unknown): unknown {
  if (!isObject(schema) || admits(schema, null)) return null;
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"])) return schema["enum"][0];
  if (Array.isArray(schema["anyOf"])) return emptyValue(schema["anyOf"][0]);
  const type = typesOf(schema)[0] ?? "null";
  return type === "object" ? fitObject({}, schema) : emptyValues[type];
}

const emptyValues: Readonly<Record<string, unknown>> = {
  string: "",
  number: 0,
  integer: 0,
  boolean: false,
  array: [],
  null: null,
};

const typeChecks: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  array: (value) => Array.isArray(value),
  object: isObject,
  null: (value) => value === null,
};

function typesOf(schema: JsonObject): readonly string[] {
  const type = schema["type"];
  if (typeof type === "string") return [type];
  return Array.isArray(type) ? type.filter((name): name is string => typeof name === "string") : [];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
