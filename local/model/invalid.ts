import type * as z from "zod";
import { ApiError } from "./wire.ts";

/** `["tools", 0, "name"]` → `tools[0].name`, the API's format for `param`. */
const paramOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");

/**
 * The first validation error in the API's format. `source` is the checked value, `prefix` its place in the
 * body.
 */
export function invalid(
  issue: z.core.$ZodIssue | undefined,
  source: unknown,
  prefix: readonly PropertyKey[] = [],
): ApiError {
  if (issue === undefined) return new ApiError(400, "Invalid request.");
  const param = paramOf([...prefix, ...issue.path]);
  if (issue.code === "unrecognized_keys") {
    const name = paramOf([...prefix, ...issue.path, issue.keys[0] ?? ""]);
    return new ApiError(400, `Unknown parameter: '${name}'.`, { code: "unknown_parameter", param: name });
  }
  if (valueAt(source, issue.path) === undefined) {
    const code = "missing_required_parameter";
    return new ApiError(400, `Missing required parameter: '${param}'.`, { code, param });
  }
  // For a discriminated union, the error is about the discriminator's value.
  const isOfType = issue.code === "invalid_type" || (issue.code === "invalid_union" && !issue.discriminator);
  const code = isOfType ? "invalid_type" : "invalid_value";
  return new ApiError(400, `Invalid value for '${param}': ${issue.message}.`, { code, param });
}

const valueAt = (source: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, part) => (typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined),
    source,
  );
