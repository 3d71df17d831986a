import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildStack } from "../../local/build.ts";
import { runChaos } from "./chaos.ts";
import { parseOptions, usage } from "./options.ts";
import { format, toJson } from "./report.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** `npm run chaos`: exits with 1 if a bound is broken, with 2 if a flag is wrong. */
async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  if (options === "help") {
    process.stdout.write(usage());
    return 0;
  }
  say(`Seed ${options.seed}: ${options.jobs} jobs. Building the functions …`);
  const folder = mkdtempSync(join(tmpdir(), "studio-runner-chaos-"));
  try {
    const settings = { stackName: "Local", pools: [{ name: "local", kind: "user" }] };
    const report = await runChaos(await buildStack(settings, folder), options, say);
    process.stdout.write(`${options.json ? toJson(report) : format(report, options)}\n`);
    return report.broken.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readOptions(): ReturnType<typeof parseOptions> | undefined {
  try {
    return parseOptions(process.argv.slice(2), Math.random);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    say(`${error.message}\nRun "npm run chaos -- --help" to see what there is.`);
    return undefined;
  }
}

process.exitCode = await main();
