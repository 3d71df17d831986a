import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions } from "esbuild";
import { functionNames, type FunctionName } from "./bundle.ts";

const projectRoot = fileURLToPath(new URL("..", import.meta.url));
const source = (path: string): string => join(projectRoot, "functions", path);

/**
 * Options for esbuild. Bundles the AWS SDK, so that the deployed version is the pinned and tested one. The output does
 * not depend on the folder that it is written to.
 */
export function buildOptions(name: FunctionName) {
  return {
    entryPoints: [source(`${name}.ts`)],
    absWorkingDir: projectRoot,
    outfile: `dist/functions/${name}/index.js`,
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "cjs",
    target: "node24",
    // Prefers the ES modules of packages, because esbuild can tree-shake them.
    mainFields: ["module", "main"],
    // Replacements for packages that a function does not need, or not at startup.
    alias: {
      "@aws-sdk/credential-provider-node": source("credentials.ts"),
      "sanitize-html": source("sanitize-html.cts"),
    },
    // Names are not minified, so that a stack trace names the function. Source maps would cost 50 MB of memory
    // (docs/decisions/0020).
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: "linked",
    sourcesContent: false,
    logLevel: "warning",
  } as const satisfies BuildOptions;
}

/** Writes the function's bundle and its source map into the folder. Returns the files that it is made of. */
export async function buildFunction(name: FunctionName, folder: string): Promise<readonly string[]> {
  const { outputFiles, metafile } = await build(buildOptions(name));
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles) writeFileSync(join(folder, basename(path)), contents);
  return Object.keys(metafile.inputs);
}

/** `node infra/build-functions.ts FOLDER NAME`, for infra/bundle.ts, which has to wait for it. */
async function main([folder, wanted]: readonly string[]): Promise<void> {
  const name = functionNames.find((one) => one === wanted);
  if (folder === undefined || name === undefined)
    throw new TypeError(`a folder and one of ${functionNames.join(", ")}`);
  await buildFunction(name, folder);
}

if (import.meta.main) await main(process.argv.slice(2));
