import { dropBlanks, itemSchema } from "./json-schema.ts";
import { preview, unknownFields } from "./problems.ts";
import { isRecord } from "./tool.ts";
import type { Tool } from "./tool.ts";

export type ReadArguments =
  | { readonly ok: true; readonly fields: unknown }
  | { readonly ok: false; readonly problem: string };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Parses a call's arguments into a candidate for the tool's schema. Accepts harmless deviations: a missing
 * wrapper, a correct `kind`, null or blank optional fields, and spaces around an id.
 */
export function readArguments(tool: Tool, json: string): ReadArguments {
  const parsed = parseJson(json);
  if (!parsed.ok) return parsed;
  if (!isRecord(parsed.fields))
    return problem(`the arguments are ${preview(parsed.fields)}, must be an object`);
  const unwrapped = unwrap(tool, parsed.fields);
  if (!unwrapped.ok) return unwrapped;
  return { ok: true, fields: tidy(tool, unwrapped.fields) };
}

function unwrap(tool: Tool, fields: Fields): ReadArguments {
  const { wrapper } = tool;
  if (wrapper === undefined || !Object.hasOwn(fields, wrapper)) return { ok: true, fields };
  const inner = fields[wrapper];
  if (!isRecord(inner)) return problem(`${wrapper}: ${preview(inner)} given, must be an object`);
  const beside = Object.keys(fields).filter((name) => name !== wrapper && fields[name] !== null);
  if (beside.length === 0) return { ok: true, fields: inner };
  return problem(`${unknownFields(beside)} beside ${wrapper}`);
}

function tidy(tool: Tool, given: unknown): unknown {
  const node = itemSchema(tool.schema);
  const fields = dropBlanks(node, given);
  if (!isRecord(fields)) return fields;
  const { kind, ...rest } = fields;
  const literal = constantKind(node.properties?.["kind"]);
  const isSilent = kind === undefined || kind === null || kind === (literal ?? tool.kind);
  const id = typeof rest["id"] === "string" ? { id: rest["id"].trim() } : {};
  if (!isSilent) return { ...rest, ...id, kind };
  return literal === undefined ? { ...rest, ...id } : { ...rest, ...id, kind: literal };
}

function constantKind(property: unknown): string | undefined {
  const value = isRecord(property) ? property["const"] : undefined;
  return typeof value === "string" ? value : undefined;
}

function parseJson(json: string): ReadArguments {
  try {
    const fields: unknown = JSON.parse(json);
    return { ok: true, fields };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return problem(`the arguments are not valid JSON: ${withPosition(reason, json)}`);
  }
}

/** V8 gives the position, except for an unexpected token and for text that ends too early. */
function withPosition(reason: string, json: string): string {
  if (/at position \d+/.test(reason)) return reason;
  if (!unexpectedToken.test(reason)) return `${reason} at position ${json.length}`;
  const position = tokenPosition(json);
  return `Unexpected token ${preview(json[position])} at position ${position}`;
}

const unexpectedToken = /^Unexpected token/;

/** The position of the bad token: the end of the shortest prefix of `json` that produces the same error. */
function tokenPosition(json: string): number {
  let good = 0;
  let bad = json.length;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (hasBadToken(json.slice(0, middle))) bad = middle;
    else good = middle;
  }
  return bad - 1;
}

function hasBadToken(json: string): boolean {
  try {
    JSON.parse(json);
    return false;
  } catch (error) {
    return error instanceof Error && unexpectedToken.test(error.message);
  }
}

const problem = (text: string): ReadArguments => ({ ok: false, problem: text });
