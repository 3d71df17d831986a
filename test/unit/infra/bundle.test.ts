import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { measureBundle, packageOf, renderSizes, type BundleSize } from "../../../infra/bundle-sizes.ts";
import { functionNames } from "../../../infra/bundle.ts";
import { synthesize, type Synthesized } from "../../../infra/synthesize.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z
        .object({
          Description: z.string().optional(),
          Code: z.object({ S3Key: z.string() }).optional(),
          Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }).optional(),
        })
        .optional(),
    }),
  ),
});

const sourceMapSchema = z.object({ sources: z.array(z.string()), sourcesContent: z.unknown().optional() });

let synthesized: Synthesized;
let sizes: readonly BundleSize[];

/** Two pools: one bundle per function serves both. */
beforeAll(async () => {
  const pools = [
    { name: "mine", kind: "user", rotation: {} },
    { name: "all", kind: "global", rotation: {} },
  ];
  synthesized = synthesize({ pools }, temporaryFolder());
  sizes = await Promise.all(functionNames.map(measureBundle));
});

function functionsOf(described: string) {
  const { Resources } = templateSchema.parse(JSON.parse(readFileSync(synthesized.templateFile, "utf8")));
  return Object.values(Resources)
    .filter(
      ({ Type, Properties }) =>
        Type === "AWS::Lambda::Function" && Properties?.Description?.includes(described),
    )
    .map(({ Properties }) => Properties);
}

function assetFolders(described: string): readonly string[] {
  const keys = functionsOf(described).map((properties) => properties?.Code?.S3Key ?? "");
  return [...new Set(keys)].map((key) => join(synthesized.outdir, `asset.${key.replace(".zip", "")}`));
}

/** Of the first pool's function, as CloudFormation and Lambda would set them. */
function variablesOf(described: string): Record<string, string> {
  const variables = Object.entries(functionsOf(described)[0]?.Environment?.Variables ?? {});
  const own = variables.map(([name, value]) => [name, typeof value === "string" ? value : "resolved"]);
  return { ...Object.fromEntries(own), AWS_REGION: "us-east-1" };
}

describe("synthesize", () => {
  it("says where the template is, in the folder that was asked for", () => {
    expect(dirname(synthesized.templateFile)).toBe(synthesized.outdir);
    expect(synthesized.templateFile).toMatch(/\/StudioRunner\.template\.json$/);
  });
});

describe.each([
  ["dispatch", "leases"],
  ["process", "works on one run"],
  ["recover", "recovers runs"],
  ["rotate", "rotates the runner keys"],
] as const)("the bundle of %s", (name, described) => {
  it("is one module that needs nothing but Node, and does nothing but export its handler", () => {
    const [folder = "", ...more] = assetFolders(described);
    expect(more).toEqual([]);
    const script = `console.log(Object.keys(require("${folder}/index.js")).join())`;
    const args = ["--input-type=commonjs", "--eval", script];
    // Far from node_modules.
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: "utf8",
      env: variablesOf(described),
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "handler\n", stderr: "" });
  });

  it("has a source map without the sources themselves", () => {
    const [folder = ""] = assetFolders(described);
    const map = sourceMapSchema.parse(JSON.parse(readFileSync(join(folder, "index.js.map"), "utf8")));
    expect(map.sources.some((source) => source.endsWith(`functions/${name}.ts`))).toBe(true);
    expect(map.sourcesContent).toBeUndefined();
    expect(readFileSync(join(folder, "index.js"), "utf8")).toMatch(
      /\/\/# sourceMappingURL=index\.js\.map\n$/,
    );
  });

  it("names our functions in a stack trace", () => {
    const [folder = ""] = assetFolders(described);
    // It is composed while it is loaded, and misses its variables.
    const script = `try { require("${folder}/index.js") } catch (error) { console.log(error.stack) }`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=commonjs", "--eval", script], {
      encoding: "utf8",
      env: {},
    });
    expect(stdout).toMatch(/\n {4}at parse\w*Config \(.*index\.js:\d+:\d+\)\n/);
  });

  it("is what its size is measured from", () => {
    const [folder = ""] = assetFolders(described);
    const size = sizes.find((one) => one.name === name)!;
    expect(size.bytes).toBe(statSync(join(folder, "index.js")).size);
    expect(size.packages.map((row) => row.name)).toEqual(
      expect.arrayContaining([
        "@aws-sdk/client-dynamodb",
        "@aws-sdk/lib-dynamodb",
        "@aws-sdk/client-secrets-manager",
        "@middy/core",
        "@aws-lambda-powertools/logger",
        "@aws-lambda-powertools/parser",
        "undici",
        "zod",
      ]),
    );
    expect(size.packages.map((row) => row.name)).not.toContain("@aws-lambda-powertools/jmespath");
    expect(size.packages.map((row) => row.name)).not.toContain("@aws-lambda-powertools/tracer");
    const parts = size.packages.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(parts).toBeLessThanOrEqual(size.bytes);
    expect(parts).toBeGreaterThan(size.bytes * 0.9);
  });
});

it("what signs for Amazon Bedrock brings no other way to credentials along than Lambda's variables", () => {
  const packages = sizes.find(({ name }) => name === "process")?.packages ?? [];
  const names = packages.map(({ name }) => name);
  expect(names).toContain("@smithy/hash-node");
  expect(
    names.filter((name) => /credential-provider-(?!env$)|nested-clients|token-providers/.test(name)),
  ).toEqual([]);
});

it.each(["openai", "@aws-sdk/client-sts"])("only the processor carries %s", (wanted) => {
  const carriers = sizes.filter(({ packages }) => packages.some((row) => row.name === wanted));
  expect(carriers.map(({ name }) => name)).toEqual(["process"]);
});

describe("sizes", () => {
  it.each([
    ["node_modules/zod/v4/core.js", "zod"],
    ["node_modules/@aws-sdk/core/dist/index.js", "@aws-sdk/core"],
    ["node_modules/a/node_modules/@b/c/d.js", "@b/c"],
    ["lib/core/errors.ts", "studio-runner"],
  ])("counts %s for %s", (path, owner) => {
    expect(packageOf(path)).toBe(owner);
  });

  it("are written as one table per function, small packages together", () => {
    const page = renderSizes([
      {
        name: "dispatch",
        bytes: 20_000,
        gzippedBytes: 6_500,
        packages: [
          { name: "undici", bytes: 12_000 },
          { name: "zod", bytes: 5_000 },
          { name: "ulid", bytes: 2_000 },
          { name: "tslib", bytes: 1_000 },
        ],
      },
    ]);
    expect(page).toBe(`# Bundle sizes

Written by \`npm run bundle-sizes\`. As deployed: minified but for names, without the source map; 1 kB is 1000 bytes.

## dispatch: 20.0 kB (6.5 kB gzipped)

| package        |    size | share |
| -------------- | ------: | ----: |
| undici         | 12.0 kB |  60 % |
| zod            |  5.0 kB |  25 % |
| ulid           |  2.0 kB |  10 % |
| 1 smaller ones |  1.0 kB |   5 % |
`);
  });
});
