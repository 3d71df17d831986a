import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCommandLine, usage } from "./command-line.ts";
import { buildAll } from "./fixture.ts";
import { machine } from "./machine.ts";
import type { Part, PartResult } from "./parts.ts";
import { measuredDocuments, withMeasurements } from "./documents.ts";
import { performanceSchema, renderTargets, targetsOf, type Performance } from "./targets.ts";

const root = join(import.meta.dirname, "..");

interface Result extends PartResult {
  readonly part: Part;
}

/** Returns the exit code; 2 if the command line is wrong. */
async function main(): Promise<number> {
  const asked = readCommandLine(process.argv.slice(2));
  if (asked === "help") {
    process.stdout.write(usage);
    return 0;
  }
  if ("wrong" in asked) {
    process.stderr.write(`${asked.wrong}\n\n${usage}`);
    return 2;
  }
  const { chosen, short, json, write } = asked;
  const results = await runAll(chosen, { isShort: short, isQuiet: json });
  if (json) process.stdout.write(`${JSON.stringify(asJson(results), null, 2)}\n`);
  if (write) writeAll(results);
  return 0;
}

async function runAll(
  chosen: readonly Part[],
  { isShort, isQuiet }: { readonly isShort: boolean; readonly isQuiet: boolean },
): Promise<readonly Result[]> {
  const say = (text: string): void => void (isQuiet ? process.stderr : process.stdout).write(text);
  say(`${machine()}\n`);
  using built = await buildAll();
  const results: Result[] = [];
  for (const part of chosen) {
    say(`\n## ${part.title}\n\n`);
    const result = await part.run(built, { isShort });
    if (!isQuiet) say(`${result.markdown}\n`);
    results.push({ part, ...result });
  }
  return results;
}

const today = (): string => new Date().toISOString().slice(0, 10);

const asJson = (results: readonly Result[]): object => ({
  date: today(),
  machine: machine(),
  ...Object.fromEntries(results.map(({ part, data }) => [part.name, data])),
});

const write = (file: string, text: string): void => writeFileSync(join(root, file), text);

function writeAll(results: readonly Result[]): void {
  const json = asJson(results);
  write("docs/performance.json", `${JSON.stringify(json, null, 2)}\n`);
  const performance = performanceSchema.parse(json);
  write("docs/performance.md", asPage(results, performance));
  for (const file of measuredDocuments)
    write(file, withMeasurements(file, readFileSync(join(root, file), "utf8"), performance));
}

function asPage(results: readonly Result[], performance: Performance): string {
  const intro = [
    "# Performance",
    `Written by \`npm run bench -- --write\` on ${today()}; ${machine()}. Comparisons are ratios within this one run.`,
  ];
  const sections = results.flatMap(({ part, markdown }) => [`## ${part.title}`, part.what, markdown]);
  const targets = ["## Targets", renderTargets(targetsOf(performance))];
  return `${[...intro, ...targets, ...sections].join("\n\n")}\n`;
}

if (import.meta.main) process.exitCode = await main();
