import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { buildFunction } from "../infra/build-functions.ts";
import { functionNames } from "../infra/bundle.ts";
import { renderNotices } from "./notices.ts";

/**
 * `npm run build`, and `npm pack` before it packs: makes the folder dist/ of the npm package (docs/decisions/0027).
 */
const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");

/** The construct and what it imports, file by file, with declarations. */
function compile(): void {
  const { status } = spawnSync(process.execPath, [tsc, "--project", "package"], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("tsc failed");
  // tsc copies every JSON file that it reads; the package's own is one folder up.
  rmSync(join(dist, "package.json"));
}

const tsc = join(root, "node_modules/typescript/bin/tsc");

/** The command line, with everything that it imports but CDK and zod. Returns the files that it is made of. */
async function bundleCli(): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: { main: join(root, "cli/packaged.ts") },
    absWorkingDir: root,
    outdir: "dist/cli",
    bundle: true,
    splitting: true,
    metafile: true,
    platform: "node",
    format: "esm",
    target: "node22",
    mainFields: ["module", "main"],
    external: ["aws-cdk-lib", "constructs", "zod"],
    // Some packages are CommonJS, and require Node's own modules.
    banner: {
      js: 'import { createRequire as createRequireForPackages } from "node:module"; const require = createRequireForPackages(import.meta.url);',
    },
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "warning",
  });
  return Object.keys(metafile.inputs);
}

async function main(): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist);
  compile();
  const ofFunctions = await Promise.all(
    functionNames.map((name) => buildFunction(name, join(dist, "functions", name))),
  );
  const ofCli = await bundleCli();
  writeFileSync(
    join(dist, "THIRD-PARTY-LICENSES.md"),
    renderNotices(root, [...ofFunctions.flat(), ...ofCli]),
  );
}

await main();
