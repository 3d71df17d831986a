import { App } from "aws-cdk-lib";
import { RunnerError } from "../lib/core/errors.ts";
import { settingsKey } from "./settings.ts";
import { addStack } from "./synthesize.ts";

/**
 * The entry point for the CDK command (cdk.json, `app`), which passes the context and the output folder in
 * the environment.
 */
try {
  // Synthesizes explicitly. The automatic synthesis at exit would write an empty app after an error, which
  // looks like a success.
  const app = new App({ autoSynth: false });
  addStack(app, app.node.tryGetContext(settingsKey));
  app.synth();
} catch (error) {
  if (!(error instanceof RunnerError)) throw error;
  console.error(`cdk.json, context: ${error.message}`);
  process.exitCode = 1;
}
