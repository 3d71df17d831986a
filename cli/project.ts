import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import manifest from "#package.json" with { type: "json" };
import { parseSettings, settingsKey, type Settings } from "../infra/settings.ts";
import { CliError } from "./errors.ts";

/** The CDK app that the command is about: the checkout, or the user's own that has the npm package. */
export interface Project {
  readonly root: string;
  /** The version of studio-runner. */
  version(): Promise<string>;
  /**
   * The settings in cdk.json with their defaults.
   * @throws RunnerError `config_invalid` with every problem; CliError `config_invalid` if cdk.json itself
   * cannot be read
   */
  settings(): Promise<Settings>;
  /** The text of cdk.json. @throws CliError `config_invalid` */
  cdkJson(): Promise<string>;
  /** The text of a file; `undefined`: there is none. */
  readFile(name: string): Promise<string | undefined>;
  /** Writes a file, in a folder that may be new. */
  writeFile(name: string, text: string): Promise<void>;
  /** Replaces cdk.json atomically. */
  writeCdkJson(text: string): Promise<void>;
  /**
   * Packages of package.json that are missing or do not have the exact version given there: `esbuild 0.28.2 (installed: 0.27.0)`.
   */
  missingPackages(): Promise<readonly string[]>;
}

const versions = z.record(z.string(), z.string()).default({});
const packageSchema = z.object({ dependencies: versions, devDependencies: versions });
export const cdkSchema = z.object({ context: z.object({ [settingsKey]: z.unknown() }) });

export function openProject(root: string): Project {
  return {
    root,
    version: async () => manifest.version,
    settings: async () => {
      const file = cdkSchema.safeParse(await readJson(root, "cdk.json"));
      return parseSettings(file.data?.context[settingsKey] ?? {});
    },
    cdkJson: () => readText(root, "cdk.json"),
    readFile: (name) => readFile(join(root, name), "utf8").catch(() => undefined),
    writeFile: async (name, text) => {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    },
    writeCdkJson: async (text) => {
      const file = join(root, "cdk.json");
      await writeFile(`${file}.new`, text);
      await rename(`${file}.new`, file);
    },
    missingPackages: async () => {
      const { dependencies, devDependencies } = packageSchema.parse(await readJson(root, "package.json"));
      const wanted = Object.entries({ ...dependencies, ...devDependencies });
      return (await Promise.all(wanted.map(([name, version]) => missing(root, name, version)))).flat();
    },
  };
}

async function missing(root: string, name: string, version: string): Promise<readonly string[]> {
  const found = await readJson(root, join("node_modules", name, "package.json"))
    .then((json) => z.object({ version: z.string() }).safeParse(json).data?.version)
    .catch(() => undefined);
  const isThere = /^\d/.test(version) ? found === version : found !== undefined;
  return isThere ? [] : [`${name} ${version} (installed: ${found ?? "none"})`];
}

async function readText(root: string, name: string): Promise<string> {
  try {
    return await readFile(join(root, name), "utf8");
  } catch (error) {
    throw new CliError("config_invalid", `${name} cannot be read.`, {
      remedy: `Check ${join(root, name)}. For a stack without its app here: --stack and --region.`,
      cause: error,
    });
  }
}

async function readJson(root: string, name: string): Promise<unknown> {
  const text = await readText(root, name);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError("config_invalid", `${name} cannot be read as JSON.`, {
      remedy: `Check ${join(root, name)}.`,
      cause: error,
    });
  }
}
