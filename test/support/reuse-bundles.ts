import childProcess from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

/**
 * Preloaded into the processes of `npm start` (command.ts): they copy the bundles of build-once.ts. Making the same ones again is
 * most of the CPU time of a start.
 */
const bundles = process.env["TEST_BUNDLES"] ?? "";

function copyBundle(program: string, [script = "", folder = "", name = ""]: readonly string[] = []): Buffer {
  if (!script.endsWith("build-functions.ts")) throw new Error(`${program} ${script} makes no bundle`);
  // Written rather than copied, so that the files get the modes of new ones.
  for (const file of readdirSync(join(bundles, name)))
    writeFileSync(join(folder, file), readFileSync(join(bundles, name, file)));
  return Buffer.alloc(0);
}

childProcess.execFileSync = copyBundle as typeof childProcess.execFileSync;
syncBuiltinESMExports();
