import { join } from "node:path";
import type { Context } from "./context.ts";
import { CliError } from "./errors.ts";

/** Runs the project's own CDK in this terminal. @throws CliError `aws_failed` if it ends with an error */
export async function runCdk(context: Context, args: readonly string[]): Promise<void> {
  const { project, programs, options, terminal } = context;
  const { region, profile, json } = options;
  terminal.settled();
  const code = await programs.run({
    file: join(project.root, "node_modules", ".bin", "cdk"),
    args: [...args, ...(profile === undefined ? [] : ["--profile", profile])],
    folder: project.root,
    variables: region === undefined ? {} : { AWS_REGION: region, AWS_DEFAULT_REGION: region },
    prints: json ? "stderr" : "stdout",
  });
  if (code === 0) return;
  if (code === 130) throw new CliError("interrupted", "Stopped.");
  throw new CliError("aws_failed", `cdk ${args[0] ?? ""} ended with ${code}; its output is above.`);
}

/** The name of the stack in the project's settings. @throws CliError `usage` if `--stack` names another */
export async function ownStackName({ project, options, commandLine }: Context): Promise<string> {
  const { stackName } = await project.settings();
  if (options.stack === undefined || options.stack === stackName) return stackName;
  throw new CliError("usage", `cdk.json names the stack ${stackName}, not ${options.stack}.`, {
    remedy: `Write the name into cdk.json: ${commandLine("init")}`,
  });
}
