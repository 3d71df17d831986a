import { expect, it } from "vitest";
import { commandLine, startedAs } from "../../../infra/command-line.ts";

it.each([
  [{}, "npm run runner -- resume"],
  [{ local: true }, "npm run runner -- resume --local"],
  [
    { local: true, stateDir: "/tmp/my folder" },
    "npm run runner -- resume --local --state-dir '/tmp/my folder'",
  ],
  [
    { region: "eu-central-1", pool: "europe" },
    "npm run runner -- resume --pool europe --region eu-central-1",
  ],
  [{ name: "npx studio-runner", stateDir: "it's" }, "npx studio-runner resume --state-dir 'it'\\''s'"],
])("a command for the target %j is written as %s", (target, line) => {
  expect(commandLine("resume", target)).toBe(line);
});

it.each([
  [{ npm_lifecycle_event: "runner" }, "/checkout/cli/main.ts", "npm run runner --"],
  [{ npm_lifecycle_event: "npx" }, "/checkout/node_modules/.bin/studio-runner", "npx studio-runner"],
  [{}, "/usr/local/bin/studio-runner", "studio-runner"],
  [{}, "/checkout/cli/main.ts", "npm run runner --"],
])("given the environment %j and the script %s, the command line is named %s", (env, script, name) => {
  expect(startedAs(env, script)).toBe(name);
});
