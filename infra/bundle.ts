import { fileURLToPath } from "node:url";
import { LogLevel, OutputFormat, SourceMapMode, type BundlingOptions } from "aws-cdk-lib/aws-lambda-nodejs";
import type { BuildOptions } from "esbuild";

/** Every deployed function, by its file in functions/. */
export const functionNames = ["dispatch", "process", "settle", "rotate"] as const;
export type FunctionName = (typeof functionNames)[number];

export const projectRoot = fileURLToPath(new URL("..", import.meta.url));
export const lockFile = fileURLToPath(new URL("../package-lock.json", import.meta.url));
export const entryOf = (name: FunctionName): string =>
  fileURLToPath(new URL(`../functions/${name}.ts`, import.meta.url));

/** undici is CommonJS and requires Node's own modules, which an ES module can do only with a `require` of its own. */
const requireBanner =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);";

/** Packages' ES modules, which esbuild can shake. */
const mainFields: readonly string[] = ["module", "main"];
const target = "node24";

/** For NodejsFunction. The AWS SDK is bundled: what runs is the version that is pinned and tested. Never Docker. */
export function bundling(): BundlingOptions {
  return {
    format: OutputFormat.ESM,
    target,
    mainFields: [...mainFields],
    banner: requireBanner,
    minify: true,
    sourceMap: true,
    sourceMapMode: SourceMapMode.DEFAULT,
    sourcesContent: false,
    bundleAwsSDK: true,
    externalModules: [],
    forceDockerBundling: false,
    logLevel: LogLevel.WARNING,
  };
}

/** The same for esbuild itself, to measure what NodejsFunction ships. */
export function buildOptions(name: FunctionName) {
  return {
    entryPoints: [entryOf(name)],
    absWorkingDir: projectRoot,
    outfile: "index.mjs",
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    target,
    mainFields: [...mainFields],
    banner: { js: requireBanner },
    minify: true,
    sourcemap: "linked",
    sourcesContent: false,
    logLevel: "warning",
  } as const satisfies BuildOptions;
}
