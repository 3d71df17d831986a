import { App } from "aws-cdk-lib";
import { RunnerError } from "../lib/core/errors.ts";
import { settingsKey } from "./settings.ts";
import { addStack } from "./synthesize.ts";

/** What the CDK command runs (cdk.json, `app`): it hands over the context and the output folder by environment. */
try {
  // Not by itself at the end: after an error that would leave an empty app behind, which looks like a success.
  const app = new App({ autoSynth: false });
  addStack(app, app.node.tryGetContext(settingsKey));
  app.synth();
} catch (error) {
  if (!(error instanceof RunnerError)) throw error;
  console.error(`cdk.json, context: ${error.message}`);
  process.exitCode = 1;
}
