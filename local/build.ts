import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseSettings, settingsKey } from "../infra/settings.ts";
import cdk from "../cdk.json" with { type: "json" };
import { RunnerError } from "../lib/core/errors.ts";

const projectRoot = resolve(import.meta.dirname, "..");

/**
 * Synthesizes and bundles the app with these settings, as `cdk synth` does. Runs in a process of its own, so
 * that the CDK library and its output stay out of this one. Returns the template's file.
 * @throws RunnerError `config_invalid` with the app's output
 */
export async function buildStack(settings: { readonly stackName: string }, outdir: string): Promise<string> {
  parseSettings(settings);
  mkdirSync(outdir, { recursive: true });
  const said: Buffer[] = [];
  const app = spawn(process.execPath, [join(projectRoot, "infra/app.ts")], {
    cwd: projectRoot,
    env: {
      ...process.env,
      // These rules matter for a real deployment only, and checking them takes as long as everything else.
      CDK_VALIDATION: "false",
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ ...cdk.context, [settingsKey]: settings }),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  app.stdout.on("data", (chunk: Buffer) => said.push(chunk));
  app.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  const code = await new Promise((done, fail) => app.once("error", fail).once("close", done));
  if (code === 0) {
    // On Lambda no package.json applies to a bundle. Here the project's would apply and declare it an ES
    // module.
    writeFileSync(join(outdir, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
    return join(outdir, `${settings.stackName}.template.json`);
  }
  throw new RunnerError(
    "config_invalid",
    `the stack could not be built:\n${Buffer.concat(said).toString("utf8").trim()}`,
  );
}
