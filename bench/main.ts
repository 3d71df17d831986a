import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildAll } from "./ground.ts";
import { machine } from "./machine.ts";
import { parts, type Part, type PartResult } from "./parts.ts";
import { withReadmeTables } from "./readme.ts";
import { performanceSchema, renderTargets, targetsOf, type Performance } from "./targets.ts";

const usage = `Measures the runner on this machine, against a local Studio and model in processes of their own.

  npm run bench [-- PART …] [-- --short] [-- --json] [-- --write]

Parts: ${parts.map(({ name }) => name).join(", ")}; without one, all of them.

  --short   fewer rounds: minutes become seconds, and the figures rough
  --json    results as JSON on standard output
  --write   also writes docs/performance.md and .json and the README's tables (all parts, not short)
`;

const root = join(import.meta.dirname, "..");

interface Result extends PartResult {
  readonly part: Part;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      short: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.filter((name) => !parts.some((part) => part.name === name));
  const writable = positionals.length === 0 && !values.short;
  if (values.help || unknown.length > 0 || (values.write && !writable)) {
    process.stderr.write(unknown.length > 0 ? `There is no part ${unknown.join(", ")}.\n\n${usage}` : usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const chosen = parts.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const results = await runAll(chosen, { isShort: values.short, isQuiet: values.json });
  if (values.json) process.stdout.write(`${JSON.stringify(asJson(results), null, 2)}\n`);
  if (values.write) writeAll(results);
}

async function runAll(
  chosen: readonly Part[],
  { isShort, isQuiet }: { readonly isShort: boolean; readonly isQuiet: boolean },
): Promise<readonly Result[]> {
  const say = (text: string): void => void (isQuiet ? process.stderr : process.stdout).write(text);
  say(`${machine()}\n`);
  const built = await buildAll();
  try {
    const results: Result[] = [];
    for (const part of chosen) {
      say(`\n## ${part.title}\n\n`);
      const result = await part.run(built, { isShort });
      if (!isQuiet) say(`${result.markdown}\n`);
      results.push({ part, ...result });
    }
    return results;
  } finally {
    built.dispose();
  }
}

const today = (): string => new Date().toISOString().slice(0, 10);

const asJson = (results: readonly Result[]): object => ({
  date: today(),
  machine: machine(),
  ...Object.fromEntries(results.map(({ part, data }) => [part.name, data])),
});

function writeAll(results: readonly Result[]): void {
  const json = asJson(results);
  const write = (file: string, text: string): void => writeFileSync(join(root, file), text);
  write("docs/performance.json", `${JSON.stringify(json, null, 2)}\n`);
  const performance = performanceSchema.parse(json);
  write("docs/performance.md", asPage(results, performance));
  write("README.md", withReadmeTables(readFileSync(join(root, "README.md"), "utf8"), performance));
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

if (import.meta.main) await main();
