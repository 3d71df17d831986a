import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildStack } from "../../local/build.ts";
import { runChaos } from "./chaos.ts";
import { parseOptions, usage } from "./options.ts";
import { format, toJson } from "./report.ts";

/** `npm run chaos`: exits 1 when a bound is broken. */
async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), Math.random);
  if (options === "help") {
    process.stdout.write(usage);
    return 0;
  }
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
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

process.exitCode = await main();
