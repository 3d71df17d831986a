import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { limits } from "../lib/deliverables/fields.ts";
import { tools } from "../lib/deliverables/registry.ts";
import { awsPrices, modelPrices, shutdowns, tableAsOf } from "./dated-table.ts";
import { markdownTable, withParts } from "./markdown-table.ts";
import { settingsTables } from "./settings-table.ts";

/** The tables in documents that are otherwise written by hand, by the name of their place. */
export const docsTables: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "docs/settings.md": settingsTables,
  "docs/costs.md": { models: modelsTable, aws: awsTable, shutdowns: shutdownsTable },
  "docs/deliverables.md": { deliverables: deliverablesTable },
};

const usd = (value: number): string => `$${value.toFixed(12).replace(/(\.\d\d\d*?)0+$/, "$1")}`;

function modelsTable(): string {
  const rows = Object.entries(modelPrices).map(([name, price]) => [
    `\`${name}\``,
    ...[price.inputPerMillionUsd, price.cachedInputPerMillionUsd, price.outputPerMillionUsd].map(usd),
  ]);
  return table([`model, as of ${tableAsOf}`, "input", "cached input", "output"], rows, [1, 2, 3]);
}

function awsTable(): string {
  const rows = Object.entries(awsPrices).map(([name, { usd: price, unit, free }]) => [
    wordsOf(name),
    price < 0.001 ? `${usd(price * 1e6)} per million ${unit}` : `${usd(price)} per ${singular(unit)}`,
    free === 0 ? "none" : `${free.toLocaleString("en-US")} ${unit}`,
  ]);
  return table([`us-east-1, as of ${tableAsOf}`, "list price", "free each month, per account"], rows, [1]);
}

function shutdownsTable(): string {
  const rows = Object.entries(shutdowns).map(([name, [date, instead]]) => [
    `\`${name}\``,
    date,
    instead === undefined ? "none named" : `\`${instead}\``,
  ]);
  return table(["model", "shuts down on", "OpenAI names instead"], rows);
}

function deliverablesTable(): string {
  const rows = tools.map(({ name, makes, payloadKey, caps }) => {
    const isShared = tools.filter((tool) => tool.payloadKey === payloadKey).length > 1;
    const most = `${limits.most[payloadKey]}${isShared ? ` ${payloadKey} together` : ""}`;
    return [`\`${name}\``, makes, most, caps];
  });
  return table(["tool", "makes", "at most, per job", "each"], rows);
}

/** `runStoreWrite` as "run store write". */
const wordsOf = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const singular = (unit: string): string => (unit.startsWith("GB ") ? unit : unit.replace(/s$/, ""));

const table = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: readonly number[] = [],
): string => markdownTable([head, ...rows], { numbers }).join("\n");

/** The document with its tables as they are now. */
export const withTables = (file: string, text: string): string =>
  withParts(text, "table", docsTables[file] ?? {});

function main(): void {
  for (const file of Object.keys(docsTables)) {
    const path = join(resolve(import.meta.dirname, ".."), file);
    writeFileSync(path, withTables(file, readFileSync(path, "utf8")));
  }
}

if (import.meta.main) main();
