import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, it } from "vitest";
import manifest from "#package.json" with { type: "json" };
import { createApp } from "../../../cli/init/new-app.ts";
import { openProject } from "../../../cli/project.ts";

const { "aws-cdk-lib": cdkLib, constructs, "aws-cdk": cdk, typescript } = manifest.devDependencies;
const settings = { stackName: "Mine", pools: [{ name: "default", kind: "user" }] };
const emptyFolder = (): string => mkdtempSync(join(inject("temporaryRoot"), "My App."));
const read = (folder: string, name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));

it("a new app depends on the package and CDK in exact versions, and has the settings in its cdk.json", async () => {
  const folder = emptyFolder();
  await createApp(openProject(folder), { language: "javascript", settings, force: false });
  expect(readdirSync(folder).toSorted()).toEqual([".gitignore", "bin", "cdk.json", "package.json"]);
  expect(read(folder, "package.json")).toEqual({
    name: expect.stringMatching(/^my-app-[a-z0-9-]+$/),
    private: true,
    dependencies: { "aws-cdk-lib": cdkLib, constructs, "studio-runner": manifest.version },
    devDependencies: { "aws-cdk": cdk },
  });
  expect(read(folder, "cdk.json")).toMatchObject({
    app: "node bin/app.mjs",
    context: { "studio-runner": settings, "@aws-cdk/aws-iam:minimizePolicies": true },
  });
});

it("a new app in TypeScript has a tsconfig.json and the compiler", async () => {
  const folder = emptyFolder();
  await createApp(openProject(folder), { language: "typescript", settings, force: false });
  expect(readdirSync(join(folder, "bin"))).toEqual(["app.mts"]);
  expect(read(folder, "tsconfig.json")).toMatchObject({ compilerOptions: { strict: true } });
  expect(read(folder, "package.json")).toMatchObject({ devDependencies: { typescript } });
});

it("a package.json that is there keeps what it has", async () => {
  const folder = emptyFolder();
  const own = { name: "own", dependencies: { "studio-runner": "file:studio-runner.tgz" }, license: "MIT" };
  writeFileSync(join(folder, "package.json"), JSON.stringify(own));
  await createApp(openProject(folder), { language: "javascript", settings, force: false });
  expect(read(folder, "package.json")).toMatchObject({
    name: "own",
    license: "MIT",
    dependencies: { "studio-runner": "file:studio-runner.tgz", constructs },
  });
});

it("a new app replaces none of the files that it consists of, unless it is forced to", async () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, ".gitignore"), "mine");
  const app = { language: "javascript", settings } as const;
  await expect(createApp(openProject(folder), { ...app, force: false })).rejects.toThrow(
    "This folder already has .gitignore.",
  );
  expect(readdirSync(folder)).toEqual([".gitignore"]);
  await createApp(openProject(folder), { ...app, force: true });
  expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("node_modules\ncdk.out\n");
});
