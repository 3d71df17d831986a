import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { App } from "aws-cdk-lib";
import * as z from "zod";
import cdk from "../../cdk.json" with { type: "json" };
import type { FunctionName } from "../../infra/bundle.ts";
import { addStack } from "../../infra/synthesize.ts";
import type { StackSettings } from "../../local/local-settings.ts";
import { readTemplate, templateSchema, type Template } from "./template.ts";

const codeSchema = z.object({ S3Key: z.string() });

/** The template's functions by role. */
const functionsIn = ({ Resources }: Template) =>
  Object.entries(Resources).flatMap(([id, { Type, Properties }]) => {
    const [kind] = /Dispatcher|Processor|Recovery|Rotator/.exec(id) ?? [];
    return Type === "AWS::Lambda::Function" && kind !== undefined ? [{ kind, Properties }] : [];
  });

/**
 * Synthesizes a template with these settings and the bundles of another. Bundles do not depend on the
 * settings, and making them takes seconds. Returns the template's file.
 */
export function synthesizeWithBundles(bundledFile: string, settings: StackSettings, outdir: string): string {
  mkdirSync(outdir, { recursive: true });
  const app = new App({
    outdir,
    analyticsReporting: false,
    builtinCloudFormationValidation: false,
    context: { ...cdk.context, "aws:cdk:bundling-stacks": [] },
  });
  addStack(app, settings);
  const template = templateSchema.parse(app.synth().getStackByName(settings.stackName).template);
  const bundled = functionsIn(readTemplate(bundledFile));
  for (const { kind, Properties } of functionsIn(template)) {
    Properties["Code"] = bundled.find((one) => one.kind === kind)!.Properties["Code"];
  }
  const folder = dirname(bundledFile);
  for (const name of readdirSync(folder).filter((one) => one.startsWith("asset."))) {
    symlinkSync(join(folder, name), join(outdir, name));
  }
  const file = join(outdir, `${settings.stackName}.template.json`);
  writeFileSync(file, JSON.stringify(template));
  return file;
}

const nameByKind: Readonly<Record<string, FunctionName>> = {
  Dispatcher: "dispatch",
  Processor: "process",
  Recovery: "recover",
  Rotator: "rotate",
};

/** Makes a folder with each bundle of the template under the name of its function. */
export function nameBundles(bundledFile: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const { kind, Properties } of functionsIn(readTemplate(bundledFile))) {
    const { S3Key } = codeSchema.parse(Properties["Code"]);
    const bundle = join(dirname(bundledFile), `asset.${S3Key.replace(".zip", "")}`);
    cpSync(bundle, join(folder, nameByKind[kind] ?? kind), { recursive: true });
  }
  return folder;
}
