import * as z from "zod";
import { ownStackName, runCdk } from "../cdk.ts";
import { defineCommand, type Command, type Outcome } from "../command.ts";
import { CliError } from "../errors.ts";
import { runChecks, type CheckResult } from "../doctor/check.ts";
import { deployChecks } from "../doctor/checks.ts";
import { createFacts } from "../doctor/facts.ts";
import { keyChecks } from "../doctor/keys.ts";
import { renderChecks } from "../doctor/render.ts";
import { refuseLocal } from "../not-local.ts";
import type { Screen } from "../terminal.ts";

export const deploy: Command = defineCommand({
  name: "deploy",
  summary: "Runs the checks and cdk deploy, and shows the next steps",
  details:
    "Deploys nothing if a check fails (exit code 1). Without --yes, cdk asks before it widens permissions.",
  options: [{ flags: "--yes", meaning: "do not ask before widening permissions, for pipelines" }],
  examples: [
    { line: "deploy", shows: "the first time, and for every change of settings or version" },
    { line: "deploy --yes --region eu-central-1", shows: "without questions" },
  ],
  input: z.object({ yes: z.boolean().default(false) }),
  run: async (context, { yes }) => {
    refuseLocal(context, "deploy");
    if (!yes && !context.input.isTerminal) {
      throw new CliError("usage", "cdk has no terminal in which to ask whether permissions may be widened.", {
        remedy: "Give --yes.",
      });
    }
    const stackName = await ownStackName(context);
    const before = await runChecks(createFacts(context), deployChecks);
    if (before.some(({ outcome }) => outcome === "fail")) return refusal(before);
    const warnings = before.filter(({ outcome }) => outcome === "warn");
    if (warnings.length > 0) context.terminal.err(renderChecks(warnings, context.terminal));
    await runCdk(context, ["deploy", stackName, "--require-approval", yes ? "never" : "broadening"]);
    const after = await runChecks(createFacts(context.fresh()), keyChecks);
    const next = nextSteps(after, context.commandLine("doctor"));
    const data = { stack: stackName, deployed: true, checks: before, next };
    return {
      data,
      text: () => `${stackName} is deployed.\n\nNext:\n${next.map((line) => `  ${line}`).join("\n")}`,
    };
  },
});

function refusal(checks: readonly CheckResult[]): Outcome {
  const text = (screen: Screen): string =>
    `${renderChecks(checks, screen)}\n\nNothing was deployed. Fix the failed checks first.`;
  return { data: { deployed: false, checks }, text, exit: "finding" };
}

/** The remedies for missing keys, and then `doctor`. */
function nextSteps(checks: readonly CheckResult[], doctor: string): readonly string[] {
  const remedies = checks.filter(({ outcome }) => outcome === "fail").flatMap(({ remedy }) => remedy ?? []);
  return [...new Set(remedies), doctor];
}
