import * as z from "zod";
import { markdownTable } from "./markdown-table.ts";
import { settingsSchema } from "./settings-schema.ts";

type Schema = z.core.JSONSchema.BaseSchema;

export interface SettingRow {
  /** As in `pools[].polling`. */
  readonly path: string;
  readonly values: string;
  readonly default: string;
  readonly meaning: string;
}

/** Every setting, in the order of the schema. @throws Error if a setting has no description */
export function settingRows(): readonly SettingRow[] {
  return rowsOf("", z.toJSONSchema(settingsSchema, { io: "input" }), false);
}

function rowsOf(path: string, schema: Schema, isRequired: boolean): readonly SettingRow[] {
  const inner = isSchema(schema.items) ? schema.items : schema;
  const { properties } = inner;
  if (properties === undefined) return [rowOf(path, schema, isRequired), ...ofEach(path, schema)];
  const at = inner === schema ? path : `${path}[]`;
  const own = schema.description === undefined ? [] : [rowOf(at, schema, isRequired)];
  const inside = Object.entries(properties).flatMap(([name, part]) =>
    isSchema(part)
      ? rowsOf(at === "" ? name : `${at}.${name}`, part, inner.required?.includes(name) ?? false)
      : [],
  );
  return [...own, ...inside];
}

/** The settings of each entry of an object with names of the user's own. */
function ofEach(path: string, { additionalProperties: each }: Schema): readonly SettingRow[] {
  return isSchema(each) && each.properties !== undefined ? rowsOf(`${path}.*`, each, false) : [];
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws Error if the setting has no description */
function rowOf(path: string, schema: Schema, isRequired: boolean): SettingRow {
  const { description: meaning, default: given, absent } = schema;
  if (meaning === undefined) throw new Error(`the setting ${path} has no description`);
  return { path, values: valuesOf(schema), default: fallback(), meaning };

  /** What applies without the setting. */
  function fallback(): string {
    if (typeof absent === "string") return absent;
    if (given !== undefined) return `\`${typeof given === "string" ? given : JSON.stringify(given)}\``;
    return isRequired ? `required in \`${path.replace(/\.\w+$/, "")}\`` : "none";
  }
}

/** More than these are shown by the first and the last. */
const mostValues = 10;

function valuesOf({ type, enum: values, minimum, maximum, items }: Schema): string {
  if (values !== undefined) {
    const shown = values.map((value) => `\`${String(value)}\``);
    return values.length <= mostValues ? shown.join(", ") : `${shown[0]} to ${shown.at(-1)}`;
  }
  if (minimum !== undefined && maximum !== undefined)
    return `${minimum.toLocaleString("en-US")} to ${maximum.toLocaleString("en-US")}`;
  if (isSchema(items)) return `list of ${items.enum === undefined ? "texts" : valuesOf(items)}`;
  if (type === "boolean") return "`true`, `false`";
  return type === "object" ? "object" : "text";
}

/** The tables of docs/settings.md, by name, with what the paths in them begin with. The rest is in `stack`. */
const sections: Readonly<Record<string, readonly string[]>> = {
  inference: ["inference."],
  pools: ["pools[]."],
  spend: ["spend."],
  company: ["runStoreTableArn", "encryption.", "network.", "iam.", "namePrefix", "endpoints.", "tags"],
  monitoring: ["monitoring.", "logRetentionDays", "logClass", "logLevel"],
  stack: [],
};

const sectionOf = (path: string): string =>
  Object.keys(sections).find((name) => sections[name]?.some((start) => path.startsWith(start))) ?? "stack";

function render(section: string): string {
  const rows = settingRows()
    .filter(({ path }) => sectionOf(path) === section)
    .map((row) => [`\`${row.path}\``, row.values, row.default, row.meaning]);
  return markdownTable([["setting", "values", "default", "meaning"], ...rows]).join("\n");
}

export const settingsTables: Readonly<Record<string, () => string>> = Object.fromEntries(
  Object.keys(sections).map((name) => [name, () => render(name)]),
);
