import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseSettings, settingsKey } from "../infra/settings.ts";
import cdk from "../cdk.json" with { type: "json" };
import { RunnerError } from "../lib/core/errors.ts";

const projectRoot = resolve(import.meta.dirname, "..");

/**
 * Synthesizes and bundles the app with these settings, as `cdk synth` does, in a process of its own: the CDK library
 * and its chatter stay out of ours. Gives the template's file.
 * @throws RunnerError `config_invalid` with all that the app said
 */
export async function buildStack(settings: { readonly stackName: string }, outdir: string): Promise<string> {
  parseSettings(settings);
  mkdirSync(outdir, { recursive: true });
  const said: Buffer[] = [];
  const app = spawn(process.execPath, [join(projectRoot, "infra/app.ts")], {
    cwd: projectRoot,
    env: {
      ...process.env,
      // CloudFormation's own rules are for what is deployed, and checking them takes as long as all the rest.
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
    // On Lambda no package.json says what a bundle is; here the project's would: that it is an ES module.
    writeFileSync(join(outdir, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
    return join(outdir, `${settings.stackName}.template.json`);
  }
  throw new RunnerError(
    "config_invalid",
    `the stack could not be built:\n${Buffer.concat(said).toString("utf8").trim()}`,
  );
}
