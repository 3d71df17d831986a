import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildAll } from "./ground.ts";
import { machine } from "./machine.ts";
import { parts, type Part, type PartResult } from "./parts.ts";

const usage = `Measures the runner on this machine, against a local Studio and model in processes of their own.

  npm run bench [-- PART …] [-- --short] [-- --json] [-- --write]

Parts: ${parts.map(({ name }) => name).join(", ")}; without one, all of them.

  --short   fewer rounds: minutes become seconds, and the figures rough
  --json    results as JSON on standard output
  --write   also writes docs/performance.md (all parts, not short)
`;

const page = fileURLToPath(new URL("../docs/performance.md", import.meta.url));

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
  if (values.write) writeFileSync(page, asPage(results));
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

function asPage(results: readonly Result[]): string {
  const intro = [
    "# Performance",
    `Written by \`npm run bench -- --write\` on ${today()}; ${machine()}. Comparisons are ratios within this one run.`,
  ];
  const sections = results.flatMap(({ part, markdown }) => [`## ${part.title}`, part.what, markdown]);
  return `${[...intro, ...sections].join("\n\n")}\n`;
}

if (import.meta.main) await main();
