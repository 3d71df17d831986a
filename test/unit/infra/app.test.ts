import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import cdk from "../../../cdk.json" with { type: "json" };
import { parseSettings } from "../../../infra/settings.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const root = join(import.meta.dirname, "../../..");

/** Runs the app as the CDK command does, with context and output folder in the environment. */
function runApp(context: unknown) {
  const outdir = temporaryFolder();
  const { status, stderr } = spawnSync(process.execPath, ["infra/app.ts"], {
    cwd: root,
    encoding: "utf8",
    env: {
      ...process.env,
      CDK_VALIDATION: "false",
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify(context),
    },
  });
  return { status, stderr, files: readdirSync(outdir) };
}

describe("the app", () => {
  it("exits with 1 and an error, and writes nothing, when a setting is invalid", () => {
    expect(runApp({ "studio-runner": { pols: [] } })).toEqual({
      status: 1,
      stderr:
        'cdk.json, context: the settings "studio-runner" have a problem:\n  - pols: unknown setting (given a list). Did you mean "pools"?\n',
      files: [],
    });
  });

  it("writes the stack's template to the output folder of the CDK command", () => {
    const { status, files } = runApp({
      ...cdk.context,
      "studio-runner": { stackName: "Mine" },
      "aws:cdk:bundling-stacks": [],
    });
    expect(status).toBe(0);
    expect(files).toContain("Mine.template.json");
  });
});

describe("cdk.json", () => {
  it("has valid settings", () => {
    expect(parseSettings(cdk.context["studio-runner"])).toEqual(parseSettings({}));
  });

  it("has exactly the feature flags that this version of CDK recommends", () => {
    const recommended: unknown = createRequire(import.meta.url)("aws-cdk-lib/recommended-feature-flags.json");
    const { "studio-runner": _, ...flags } = cdk.context;
    expect(flags).toEqual(recommended);
  });

  it("runs the app with the project's own Node, without notices or version reporting", () => {
    const { context: _, ...rest } = cdk;
    expect(rest).toEqual({
      app: "npx --no-install node infra/app.ts",
      output: "cdk.out",
      notices: false,
      versionReporting: false,
    });
  });
});
