import { basename } from "node:path";
import * as z from "zod";
import manifest from "#package.json" with { type: "json" };
import cdk from "../../cdk.json" with { type: "json" };
import { settingsKey } from "../../infra/settings.ts";
import { parseJson } from "../../lib/core/json.ts";
import { CliError } from "../errors.ts";
import type { Project } from "../project.ts";

/** The languages of a new CDK app. */
export const languages = ["javascript", "typescript"] as const;
export type Language = (typeof languages)[number];

interface NewApp {
  readonly language: Language;
  readonly settings: object;
  /** Overwrites files. */
  readonly force: boolean;
}

/**
 * Writes a small CDK app with these settings into the project's folder. Adds to a package.json that is there.
 * @throws CliError `refused` if another of the files is there
 */
export async function createApp(
  project: Project,
  { language, settings, force }: NewApp,
): Promise<readonly string[]> {
  const entry = language === "typescript" ? "bin/app.mts" : "bin/app.mjs";
  const files: Readonly<Record<string, string>> = {
    "cdk.json": json({
      ...cdk,
      app: `node ${entry}`,
      context: { ...cdk.context, [settingsKey]: settings },
    }),
    [entry]: app,
    ...(language === "typescript" ? { "tsconfig.json": json(tsconfig) } : {}),
    ".gitignore": "node_modules\ncdk.out\n",
  };
  const present = await Promise.all(Object.keys(files).map((name) => project.readFile(name)));
  const taken = Object.keys(files).filter((_, at) => present[at] !== undefined);
  if (taken.length > 0 && !force)
    throw new CliError("refused", `This folder already has ${taken.join(", ")}.`, {
      remedy: "Nothing was written. Choose another folder, or overwrite them: --force",
    });
  const all = { ...files, "package.json": await packageJson(project, language) };
  for (const [name, text] of Object.entries(all)) await project.writeFile(name, text);
  return Object.keys(all);
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

const app = `import { App, Stack } from "aws-cdk-lib";
import { StudioRunner } from "studio-runner";

const app = new App();
// The settings are in cdk.json; \`npx studio-runner init\` changes them.
const { stackName, ...props } = app.node.tryGetContext("${settingsKey}");
const stack = new Stack(app, stackName, {
  description: "studio-runner: runs Xenonflare Studio jobs on AWS Lambda",
});
const runner = new StudioRunner(stack, "Runner", props);
// By its outputs, npx studio-runner finds what it operates.
runner.addOutputs();
`;

/** For the editor and `npx tsc`: Node runs the app as it is. */
const tsconfig = {
  compilerOptions: {
    target: "ES2024",
    module: "nodenext",
    types: ["node"],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
  },
  include: ["bin"],
};

const versions = z.record(z.string(), z.string()).default({});
const packageSchema = z.looseObject({ dependencies: versions, devDependencies: versions });

async function packageJson(project: Project, language: Language): Promise<string> {
  const text = await project.readFile("package.json");
  const found = packageSchema.safeParse(text === undefined ? {} : parseJson(text)).data;
  if (!found) throw new CliError("config_invalid", "package.json cannot be read as JSON.");
  const { dependencies, devDependencies, ...others } = found;
  const own = manifest.devDependencies;
  return json({
    name: nameOf(project.root),
    private: true,
    ...others,
    dependencies: {
      "aws-cdk-lib": own["aws-cdk-lib"],
      constructs: own.constructs,
      "studio-runner": manifest.version,
      ...dependencies,
    },
    devDependencies: {
      "aws-cdk": own["aws-cdk"],
      ...(language === "typescript" ? { "@types/node": own["@types/node"], typescript: own.typescript } : {}),
      ...devDependencies,
    },
  });
}

/** A name that npm takes, from the folder's. */
const nameOf = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "") || "my-runner";
