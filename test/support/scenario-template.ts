import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inject } from "vitest";
import { readTemplate } from "./template.ts";

export interface Timeouts {
  /** Replaces the template's value. */
  readonly processorTimeoutSeconds?: number;
  /** Replaces the template's value. A killed dispatcher keeps its lock for this time. */
  readonly dispatcherTimeoutSeconds?: number;
}

/** The logical id of the template's only table, function, secret or queue that `part` names. */
export function idOf(part: string): string {
  const kinds = [
    "AWS::DynamoDB::Table",
    "AWS::Lambda::Function",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
  ];
  const ids = Object.entries(readTemplate(inject("templateFile")).Resources).flatMap(([id, { Type }]) =>
    kinds.includes(Type) && id.includes(part) ? [id] : [],
  );
  if (ids.length !== 1) throw new Error(`${ids.length} resources have "${part}" in their ids`);
  return ids[0]!;
}

/** The shared template, or a copy of it with other timeouts. */
export function templateFor({ processorTimeoutSeconds, dispatcherTimeoutSeconds }: Timeouts): string {
  const built = inject("templateFile");
  const timeouts = [
    ["ProcessorRunner", processorTimeoutSeconds],
    ["Dispatcher", dispatcherTimeoutSeconds],
  ] as const;
  if (timeouts.every(([, seconds]) => seconds === undefined)) return built;
  const template = readTemplate(built);
  for (const [part, seconds] of timeouts) {
    if (seconds !== undefined) template.Resources[idOf(part)]!.Properties["Timeout"] = seconds;
  }
  // Written next to the original, where the bundles are.
  const file = join(
    dirname(built),
    `Timeouts-${timeouts.map(([, seconds]) => seconds ?? "").join("-")}.template.json`,
  );
  writeFileSync(file, JSON.stringify(template));
  return file;
}
