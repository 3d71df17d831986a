import * as z from "zod";
import { isRecord } from "./tool.ts";
import type { ItemSchema, Tool } from "./tool.ts";

type Node = Readonly<z.core.JSONSchema.BaseSchema>;
type Words = Readonly<Record<string, unknown>>;

/** The item's JSON Schema, including its caps. */
export const itemSchema = (schema: ItemSchema): Node =>
  z.toJSONSchema(schema, { io: "input", target: "draft-7" });

/**
 * The tool's parameters for OpenAI's strict mode: every property is required (optional ones may be null),
 * `additionalProperties` is false, and only the keywords type, properties, required, items, enum and
 * description are used. Caps are put into the descriptions. `kind` is left out, because the tool's name
 * implies it.
 */
export function strictParameters(tool: Tool): Words {
  const fields = strict(itemSchema(tool.schema));
  if (tool.wrapper === undefined) return fields;
  return strictObject({ [tool.wrapper]: fields });
}

/**
 * Removes arguments without content: an optional field that is null, blank, or `false` if only `true` is
 * allowed, and an unknown field that is null. Changes nothing else.
 */
export function dropBlanks(node: Node, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = node;
    return isNode(items) ? value.map((item: unknown) => dropBlanks(items, item)) : value;
  }
  if (!isRecord(value) || node.properties === undefined) return value;
  const { properties, required = [] } = node;
  const kept = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!isNode(property)) return field === null ? [] : [[name, field]];
    if (!required.includes(name) && saysNothing(property, field)) return [];
    return [[name, dropBlanks(property, field)]];
  });
  return Object.fromEntries(kept);
}

function saysNothing(property: Node, value: unknown): boolean {
  if (typeof value === "string") return value.trim() === "";
  return value === null || (value === false && property.const === true);
}

function strict(node: Node): Words {
  const description = [node.description ?? "", ...capWords(node)].join(" ").trim();
  const described = description === "" ? {} : { description };
  if (node.properties !== undefined) return { ...described, ...strictProperties(node) };
  if (isNode(node.items)) return { ...described, type: "array", items: strict(node.items) };
  return { ...described, type: node.type, ...(node.enum === undefined ? {} : { enum: node.enum }) };
}

function strictProperties({ properties = {}, required = [] }: Node): Words {
  const fields = Object.entries(properties).flatMap(([name, property]): [string, Words][] => {
    if (!isNode(property) || typeof property.const === "string") return [];
    const field = strict(property);
    return [[name, required.includes(name) ? field : nullable(field)]];
  });
  return strictObject(Object.fromEntries(fields));
}

function strictObject(properties: Words): Words {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

function nullable(field: Words): Words {
  const values = Array.isArray(field["enum"]) ? { enum: [...field["enum"], null] } : {};
  return { ...field, type: [field["type"], "null"], ...values };
}

function capWords(node: Node): readonly string[] {
  const { maxLength, minItems, maxItems, minimum } = node;
  return [
    maxLength === undefined ? [] : `At most ${maxLength} characters.`,
    maxItems === undefined ? [] : `${minItems ?? 0} to ${maxItems} items.`,
    minimum === undefined ? [] : `At least ${minimum}.`,
  ].flat();
}

function isNode(value: unknown): value is Node {
  return isRecord(value);
}
