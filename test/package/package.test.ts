import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import manifest from "#package.json" with { type: "json" };
import cdk from "../../cdk.json" with { type: "json" };
import { synthesize } from "../../infra/synthesize.ts";
import {
  createConsumer,
  installedMb,
  nodeMajors,
  readTemplateAsPackaged,
  root,
  type Consumer,
} from "./consumer.ts";

const settings = {
  stackName: "Mine",
  pools: [
    { name: "default", kind: "user", rotation: {} },
    { name: "all", kind: "global" },
  ],
  inference: { instructions: "Sign as the reports team." },
} as const;

let consumer: Consumer;
let checkout: string;

beforeAll(async () => {
  checkout = mkdtempSync(join(tmpdir(), "studio-runner-checkout-"));
  consumer = await createConsumer();
});
afterAll(() => {
  rmSync(checkout, { recursive: true, force: true });
  consumer.remove();
});

/** What the checkout makes of the settings. */
function own(of: object, name: string): { readonly template: unknown; readonly outdir: string } {
  const { templateFile, outdir } = synthesize(of, join(checkout, name));
  return { template: readTemplateAsPackaged(templateFile), outdir };
}

/** The command adds paths to the template, which the checkout's own synthesis does not. */
const asOwn = ["--no-path-metadata", "--no-asset-metadata"] as const;

const assetsIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => /^asset\.[\da-f]{64}$/.test(name))
    .toSorted();

describe("the tarball", () => {
  it("holds the built package and its documents, and nothing else of the checkout", () => {
    expect([...new Set(consumer.files.map((path) => path.split("/")[0]))].toSorted()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "bin",
      "dist",
      "docs",
      "package.json",
    ]);
    const sources = consumer.files.filter((path) => /(?<!\.d)\.ts$/.test(path));
    expect(sources).toEqual([]);
  });

  it("names no folder of the machine that made it", () => {
    const base = join(consumer.folder, "node_modules/studio-runner");
    const naming = consumer.files.filter((path) => readFileSync(join(base, path)).includes(root));
    expect(naming).toEqual([]);
  });

  it("needs neither esbuild nor the AWS SDK where it is installed, and takes little room", () => {
    const there = ["esbuild", "@aws-sdk", "openai", "cdk-nag"].filter((name) =>
      existsSync(join(consumer.folder, "node_modules", name)),
    );
    expect(there).toEqual([]);
    const ofPackage = installedMb(consumer.folder, (name) => ["studio-runner", "zod"].includes(name));
    const ofCdk = installedMb(consumer.folder, (name) =>
      /^(?:aws-cdk|aws-cdk-lib|@aws-cdk|constructs)$/.test(name),
    );
    console.log(
      `packed ${(consumer.packedBytes / 1e6).toFixed(1)} MB, installed ${ofPackage} MB, with CDK ${ofPackage + ofCdk} MB`,
    );
    expect(consumer.packedBytes).toBeLessThan(10e6);
    expect(ofPackage).toBeLessThan(40);
  });
});

describe("a CDK app in JavaScript", () => {
  it("that npx studio-runner init made synthesizes to the checkout's template and code", async () => {
    const flags = ["--yes", "--stack", "Mine", "--cap", "20", "--email", "ops@example.com"];
    const json: unknown = JSON.parse(await consumer.start(24, "studio-runner", "init", ...flags, "--json"));
    expect(json).toMatchObject({
      files: ["cdk.json", "bin/app.mjs", ".gitignore", "package.json"],
      next: expect.arrayContaining(["npm install"]),
    });
    const { settings: written } = json as { settings: object };
    const expected = own(written, "init");
    for (const node of nodeMajors) {
      const out = join(consumer.folder, `out-${node}`);
      await consumer.start(node, "cdk", "synth", "--quiet", ...asOwn, "--output", out);
      expect(readTemplateAsPackaged(join(out, "Mine.template.json"))).toEqual(expected.template);
      expect(assetsIn(out)).toEqual(assetsIn(expected.outdir));
    }
  });

  it.each(nodeMajors)(
    "in CommonJS can require the package on Node %i, with instructions of its own",
    async (node) => {
      consumer.write(
        "app.cjs",
        `const { App, Stack } = require("aws-cdk-lib");
       const { StudioRunner } = require("studio-runner");
       const { stackName, ...props } = ${JSON.stringify(settings)};
       const context = ${JSON.stringify(cdk.context)};
       const app = new App({ outdir: "out-cjs-${node}", analyticsReporting: false, context });
       const stack = new Stack(app, stackName, {
         description: "studio-runner: runs Xenonflare Studio jobs on AWS Lambda",
       });
       new StudioRunner(stack, "Runner", props).addOutputs();
       app.synth();`,
      );
      await consumer.start(node, "app.cjs");
      const out = join(consumer.folder, `out-cjs-${node}`);
      const expected = own(settings, `cjs-${node}`);
      expect(readTemplateAsPackaged(join(out, "Mine.template.json"))).toEqual(expected.template);
      expect(assetsIn(out)).toEqual(assetsIn(expected.outdir));
    },
  );
});

describe("a CDK app in strict TypeScript", () => {
  beforeAll(() => {
    cpSync(join(root, "test/package/app.mts.txt"), join(consumer.folder, "app.mts"));
    consumer.write(
      "tsconfig.json",
      JSON.stringify({
        compilerOptions: {
          target: "ES2024",
          module: "nodenext",
          types: ["node"],
          strict: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          outDir: "compiled",
        },
        files: ["app.mts"],
      }),
    );
  });

  it("passes the compiler's checks, of the package's declarations too, and uses what the construct offers", async () => {
    expect(await consumer.start(24, "tsc")).toBe("");
    for (const node of nodeMajors) {
      expect(JSON.parse(await consumer.start(node, "compiled/app.mjs"))).toEqual({
        alarms: ["RunsFailed"],
        readers: 2,
        widget: true,
      });
    }
  });

  it("is refused by the compiler when a setting has a wrong value", async () => {
    consumer.write(
      "wrong.mts",
      'import type { StudioRunnerProps } from "studio-runner";\nexport const props: StudioRunnerProps = { pools: [{ name: "x", kind: "all" }] };\n',
    );
    const { stdout } = await consumer
      .start(
        24,
        "tsc",
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--module",
        "nodenext",
        "--ignoreConfig",
        "wrong.mts",
      )
      .then(() => ({ stdout: "accepted" }))
      .catch((error: { readonly stdout: string }) => error);
    expect(stdout).toContain("Type '\"all\"' is not assignable to type");
  });
});

describe.each(nodeMajors)("npx studio-runner on Node %i", (node) => {
  it("says its version, and the commands as they are typed", async () => {
    expect(await consumer.start(node, "studio-runner", "--version")).toMatch(
      new RegExp(`^studio-runner ${manifest.version}\\nnode ${node}\\.`),
    );
    expect(await consumer.start(node, "studio-runner", "help", "status")).toContain("studio-runner status");
  });
});
