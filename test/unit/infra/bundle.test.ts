import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { measureBundle, type BundleSize } from "../../../infra/bundle-sizes.ts";
import { functionNames } from "../../../infra/bundle.ts";
import { synthesize, type Synthesized } from "../../../infra/synthesize.ts";
import { temporaryFolder } from "./temporary-folder.ts";

interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties: FunctionProperties }>
  >;
}
interface FunctionProperties {
  readonly Description?: string;
  readonly Code: { readonly S3Key: string };
  readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
}

const sourceMapSchema = z.object({ sources: z.array(z.string()), sourcesContent: z.unknown().optional() });

let synthesized: Synthesized;
let sizes: readonly BundleSize[];

/** Two pools, which share one bundle per function. */
beforeAll(async () => {
  const pools = [
    { name: "mine", kind: "user", rotation: {} },
    { name: "all", kind: "global", rotation: {} },
  ];
  synthesized = synthesize({ pools }, temporaryFolder());
  sizes = await Promise.all(functionNames.map(measureBundle));
});

function functionsOf(described: string): readonly FunctionProperties[] {
  const { Resources } = JSON.parse(readFileSync(synthesized.templateFile, "utf8")) as Template;
  return Object.values(Resources)
    .filter(({ Type }) => Type === "AWS::Lambda::Function")
    .map(({ Properties }) => Properties)
    .filter(({ Description }) => Description?.includes(described));
}

function assetFolders(described: string): readonly string[] {
  const keys = new Set(functionsOf(described).map(({ Code }) => Code.S3Key));
  return [...keys].map((key) => join(synthesized.outdir, `asset.${key.replace(".zip", "")}`));
}

const packagesOf = (name: string): readonly string[] =>
  sizes.find((one) => one.name === name)?.packages.map((row) => row.name) ?? [];

/** The variables of the first pool's function, as CloudFormation and Lambda would set them. */
function variablesOf(described: string): Record<string, string> {
  const variables = Object.entries(functionsOf(described)[0]?.Environment.Variables ?? {});
  const own = variables.map(([name, value]) => [name, typeof value === "string" ? value : "resolved"]);
  return { ...Object.fromEntries(own), AWS_REGION: "us-east-1" };
}

describe.each([
  ["dispatch", "leases"],
  ["process", "works on one run"],
  ["recover", "recovers runs"],
  ["rotate", "rotates the runner keys"],
] as const)("the bundle of %s", (name, described) => {
  it("is one module without dependencies that exports only its handler", () => {
    const [folder = "", ...more] = assetFolders(described);
    expect(more).toEqual([]);
    const script = `console.log(Object.keys(require("${folder}/index.js")).join())`;
    const args = ["--input-type=commonjs", "--eval", script];
    // The folder is outside the project, so node_modules is out of reach.
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: "utf8",
      env: variablesOf(described),
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "handler\n", stderr: "" });
  });

  it("has a source map without the contents of the sources", () => {
    const [folder = ""] = assetFolders(described);
    const map = sourceMapSchema.parse(JSON.parse(readFileSync(join(folder, "index.js.map"), "utf8")));
    expect(map.sources.some((source) => source.endsWith(`functions/${name}.ts`))).toBe(true);
    expect(map.sourcesContent).toBeUndefined();
    expect(readFileSync(join(folder, "index.js"), "utf8")).toMatch(
      /\/\/# sourceMappingURL=index\.js\.map\n$/,
    );
  });

  it("keeps function names in stack traces", () => {
    const [folder = ""] = assetFolders(described);
    // Loading the bundle composes the function, which throws without its variables.
    const script = `try { require("${folder}/index.js") } catch (error) { console.log(error.stack) }`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=commonjs", "--eval", script], {
      encoding: "utf8",
      env: {},
    });
    expect(stdout).toMatch(/\n {4}at parse\w*Config \(.*index\.js:\d+:\d+\)\n/);
  });

  it("excludes the Powertools packages that it does not use", () => {
    expect(packagesOf(name)).toContain("@aws-lambda-powertools/logger");
    expect(packagesOf(name)).not.toContain("@aws-lambda-powertools/jmespath");
    expect(packagesOf(name)).not.toContain("@aws-lambda-powertools/tracer");
  });
});

it("the bundle of process has only the environment credential provider to sign requests for Amazon Bedrock", () => {
  const names = packagesOf("process");
  expect(names).toContain("@smithy/hash-node");
  expect(
    names.filter((name) => /credential-provider-(?!env$)|nested-clients|token-providers/.test(name)),
  ).toEqual([]);
});

it.each(["openai", "@aws-sdk/client-sts"])("only the bundle of process includes %s", (wanted) => {
  expect(functionNames.filter((name) => packagesOf(name).includes(wanted))).toEqual(["process"]);
});
