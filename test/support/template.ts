import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";

export const templateSchema = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});

export type Template = z.output<typeof templateSchema>;

const kinds = [
  "AWS::DynamoDB::Table",
  "AWS::Lambda::Function",
  "AWS::SecretsManager::Secret",
  "AWS::SQS::Queue",
];

export const readTemplate = (file: string): Template =>
  templateSchema.parse(JSON.parse(readFileSync(file, "utf8")));

/** The logical id of the template's only table, function, secret or queue that `part` names. */
export function idOf(file: string, part: string): string {
  const ids = Object.entries(readTemplate(file).Resources).flatMap(([id, { Type }]) =>
    kinds.includes(Type) && id.includes(part) ? [id] : [],
  );
  if (ids.length !== 1) throw new Error(`${ids.length} resources have "${part}" in their ids`);
  return ids[0]!;
}

/** A copy of the template with other timeouts of the functions that the names are part of. */
export function withTimeouts(file: string, seconds: Readonly<Record<string, number | undefined>>): string {
  const template = readTemplate(file);
  const changed = Object.entries(seconds).filter(([, value]) => value !== undefined);
  for (const [part, value] of changed) template.Resources[idOf(file, part)]!.Properties["Timeout"] = value;
  // Written next to the original, where the bundles are.
  const copy = join(dirname(file), `Timeouts-${Object.values(seconds).join("-")}.template.json`);
  writeFileSync(copy, JSON.stringify(template));
  return copy;
}
