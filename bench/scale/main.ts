import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { between, head, loads, rowOf } from "./page.ts";
import { simulate } from "./simulate.ts";
import { table } from "../tables.ts";

/** `npm run scale`: simulates every load, prints the table, and writes it into docs/scaling.md. */
const file = join(import.meta.dirname, "../../docs/scaling.md");
const rows: (readonly (string | number)[])[] = [];
for (const load of loads) {
  rows.push(rowOf(load, await simulate(load)));
  process.stdout.write(`${String(rows.length)} of ${String(loads.length)} simulated\n`);
}
const text = table(head, rows);
process.stdout.write(`\n${text}\n`);
writeFileSync(file, between(readFileSync(file, "utf8"), text));
