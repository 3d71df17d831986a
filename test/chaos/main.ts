import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildStack } from "../../local/build.ts";
import { runChaos } from "./chaos.ts";
import { parseOptions } from "./options.ts";
import { format } from "./report.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** `npm run chaos`: exits with 1 if a bound is broken. */
const options = parseOptions(process.argv.slice(2));
say(`Seed ${options.seed}: ${options.jobs} jobs. Building the functions …`);
const folder = mkdtempSync(join(tmpdir(), "studio-runner-chaos-"));
const settings = { stackName: "Local", pools: [{ name: "local", kind: "user" }] };
const report = await runChaos(await buildStack(settings, folder), options, say).finally(() =>
  rmSync(folder, { recursive: true, force: true }),
);
process.stdout.write(`${format(report, options)}\n`);
// At its end, Node can wait forever for a handle of a connection that was reset.
process.exit(report.broken.length === 0 ? 0 : 1);
