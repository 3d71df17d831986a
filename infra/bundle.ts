import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AssetHashType, BundlingOutput, DockerImage } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";

/** Every deployed function, by the name of its file in functions/. */
export const functionNames = ["dispatch", "process", "recover", "rotate"] as const;
export type FunctionName = (typeof functionNames)[number];

/** The file beside the bundle that has the owner's instructions: environment variables are too small for them. */
export const instructionsFile = "instructions.md";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** In the npm package, each function has a bundle beside the compiled construct. */
const prebuilt = (name: FunctionName): string => here(`../functions/${name}`);
const isPrebuilt = (name: FunctionName): boolean => existsSync(join(prebuilt(name), "index.js"));

/**
 * The code of a function, with the owner's instructions: the bundle of the npm package, or, in a checkout, one that
 * esbuild makes now. Both are the same bytes, so that the asset's hash is the same too.
 */
export function functionCode(name: FunctionName, instructions: string | undefined): Code {
  if (isPrebuilt(name) && instructions === undefined) return Code.fromAsset(prebuilt(name));
  return Code.fromAsset(here("../functions"), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Names the bundle in CDK's cache, so that the pools share one. Nothing runs in Docker.
      command: [name, instructions ?? ""],
      image: DockerImage.fromRegistry("unused"),
      outputType: BundlingOutput.NOT_ARCHIVED,
      local: {
        tryBundle: (folder) => {
          if (isPrebuilt(name)) copyBundle(name, folder);
          else execFileSync(process.execPath, [here("build-functions.ts"), folder, name]);
          if (instructions !== undefined) writeFileSync(join(folder, instructionsFile), instructions);
          return true;
        },
      },
    },
  });
}

function copyBundle(name: FunctionName, folder: string): void {
  for (const file of readdirSync(prebuilt(name)))
    copyFileSync(join(prebuilt(name), file), join(folder, file));
}
