import { fileURLToPath } from "node:url";
import { LogLevel, OutputFormat, SourceMapMode, type BundlingOptions } from "aws-cdk-lib/aws-lambda-nodejs";
import type { BuildOptions } from "esbuild";

/** Every deployed function, by the name of its file in functions/. */
export const functionNames = ["dispatch", "process", "recover", "rotate"] as const;
export type FunctionName = (typeof functionNames)[number];

export const projectRoot = fileURLToPath(new URL("..", import.meta.url));
export const lockFile = fileURLToPath(new URL("../package-lock.json", import.meta.url));
export const entryOf = (name: FunctionName): string =>
  fileURLToPath(new URL(`../functions/${name}.ts`, import.meta.url));

/** Prefers the ES modules of packages, because esbuild can tree-shake them. */
const mainFields: readonly string[] = ["module", "main"];
const target = "node24";

const source = (path: string): string => fileURLToPath(new URL(`../functions/${path}`, import.meta.url));
/** Replacements for packages that a function does not need, or not at startup. */
const aliases: Readonly<Record<string, string>> = {
  "@aws-sdk/credential-provider-node": source("credentials.ts"),
  "sanitize-html": source("sanitize-html.cts"),
};

/**
 * Names are not minified, so that a stack trace names the function. Source maps would cost 50 MB of memory
 * (docs/decisions/0020).
 */
const minified = { minifyWhitespace: true, minifySyntax: true } as const;

/**
 * Options for NodejsFunction. Bundles the AWS SDK, so that the deployed version is the pinned and tested one.
 * Never uses Docker.
 */
export function bundling(instructions?: string): BundlingOptions {
  return {
    define: instructions === undefined ? undefined : instructionsAs(instructions),
    format: OutputFormat.CJS,
    target,
    mainFields: [...mainFields],
    esbuildArgs: {
      "--minify-whitespace": "true",
      "--minify-syntax": "true",
      ...Object.fromEntries(Object.entries(aliases).map(([from, to]) => [`--alias:${from}`, to])),
    },
    minify: false,
    sourceMap: true,
    sourceMapMode: SourceMapMode.DEFAULT,
    sourcesContent: false,
    bundleAwsSDK: true,
    externalModules: [],
    forceDockerBundling: false,
    logLevel: LogLevel.WARNING,
  };
}

/** base64, because CDK passes the value through a shell. */
const instructionsAs = (text: string): Record<string, string> => ({
  "process.env.RUNNER_INSTRUCTIONS": JSON.stringify(Buffer.from(text).toString("base64")),
});

/** The same options for esbuild itself, to measure what NodejsFunction deploys. */
export function buildOptions(name: FunctionName) {
  return {
    entryPoints: [entryOf(name)],
    absWorkingDir: projectRoot,
    outfile: "index.js",
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "cjs",
    target,
    mainFields: [...mainFields],
    alias: aliases,
    ...minified,
    sourcemap: "linked",
    sourcesContent: false,
    logLevel: "warning",
  } as const satisfies BuildOptions;
}
