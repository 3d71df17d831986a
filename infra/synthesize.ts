import { App, Stack, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import cdk from "../cdk.json" with { type: "json" };
import { addOutputs } from "./outputs.ts";
import { parseSettings } from "./settings.ts";
import { StudioRunner } from "./studio-runner.ts";

export interface RunnerStack {
  readonly stack: Stack;
  readonly runner: StudioRunner;
}

export interface Synthesized {
  readonly templateFile: string;
  /** The folder of the assets: `asset.<hash>` for the code key `<hash>.zip`. */
  readonly outdir: string;
}

/**
 * Adds the stack that `settings` describe. cdk-nag checks it when the app is synthesized.
 * @throws RunnerError `config_invalid` with every problem at once
 */
export function addStack(app: App, settings: unknown): RunnerStack {
  const { stackName, ...props } = parseSettings(settings);
  const stack = new Stack(app, stackName, {
    description: "studio-runner: runs Xenonflare Studio jobs on AWS Lambda",
  });
  const runner = new StudioRunner(stack, "Runner", props);
  addOutputs(stack, runner);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { stack, runner };
}

/**
 * Makes the template and assets that `cdk synth` makes, without the CDK command.
 * @throws RunnerError `config_invalid` with every problem at once; an Error when a check of CDK or cdk-nag
 * fails
 */
export function synthesize(settings: unknown, outdir: string): Synthesized {
  const app = new App({ outdir, analyticsReporting: false, context: cdk.context });
  const { stack } = addStack(app, settings);
  const { templateFullPath } = app.synth().getStackByName(stack.stackName);
  return { templateFile: templateFullPath, outdir };
}
