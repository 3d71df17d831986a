import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { App } from "aws-cdk-lib";
import cdk from "../../cdk.json" with { type: "json" };
import { addOwnStack } from "../../examples/own-app.ts";
import { addStack } from "../../infra/synthesize.ts";
import { preparePython } from "../support/python.ts";
import { exceptions } from "./exceptions.ts";
import { judge, readCheckov, readLint } from "./findings.ts";

/**
 * `npm run test:static`: synthesizes every example and checks the templates with cfn-lint and checkov, beside
 * cdk-nag, which checks each synthesis. Fails on a finding without a reason, and on a reason without a finding.
 * Needs Python 3.11 or newer; installs the tools below .local/ once. The checks use no network.
 */
const root = resolve(import.meta.dirname, "../..");
/** Writes each example's template to the folder, without bundling code. */
function synthesizeExamples(folder: string): readonly string[] {
  const examples = join(root, "examples");
  return readdirSync(examples).map((file) => {
    const name = file.replace(/\.\w+$/, "");
    const app = new App({
      outdir: join(folder, "cdk.out", name),
      analyticsReporting: false,
      context: { ...cdk.context, "aws:cdk:bundling-stacks": [] },
    });
    const stack = file.endsWith(".json")
      ? addStack(app, JSON.parse(readFileSync(join(examples, file), "utf8"))).stack
      : addOwnStack(app);
    const template: unknown = app.synth().getStackByName(stack.stackName).template;
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(template, undefined, 1));
    return name;
  });
}

/** The output of a tool, which exits with a code of its own when it finds something. */
function check(tool: string, args: readonly string[], folder: string): string {
  const { stdout, stderr, error } = spawnSync(tool, args, {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    timeout: 300_000,
  });
  if (error) throw error;
  if (stdout.trim() === "") throw new Error(`${tool} reported nothing: ${stderr}`);
  return stdout;
}

async function main(folder: string): Promise<boolean> {
  const bin = await preparePython(join(root, ".local/static"), join(import.meta.dirname, "requirements.txt"));
  const names = synthesizeExamples(folder);
  const templates = names.map((name) => `${name}.json`);
  const lint = readLint(check(join(bin, "cfn-lint"), ["--format", "json", ...templates], folder));
  const files = templates.flatMap((file) => ["--file", file]);
  const checkov = readCheckov(
    check(
      join(bin, "checkov"),
      [...files, "--framework", "cloudformation", "--skip-download", "--output", "json"],
      folder,
    ),
  );
  const findings = [...lint, ...checkov.findings];
  const { unexplained, explained, unused } = judge(findings, exceptions);
  console.log(`${names.length} examples: ${names.join(", ")}`);
  console.log(
    `cfn-lint: ${lint.length} findings; checkov: ${checkov.passed} checks passed, ${checkov.findings.length} findings`,
  );
  for (const { rule, count, reason } of explained) console.log(`  accepted, ${rule} (${count}): ${reason}`);
  for (const { example, rule, resource, message } of unexplained)
    console.log(`  UNEXPLAINED, ${rule} in ${example}, ${resource}: ${message}`);
  for (const { rule } of unused)
    console.log(`  UNUSED exception, ${rule}: nothing breaks this rule any more`);
  console.log(`${unexplained.length} unexplained findings, ${unused.length} unused exceptions`);
  return unexplained.length === 0 && unused.length === 0;
}

const folder = mkdtempSync(join(tmpdir(), "studio-runner-static-"));
try {
  process.exitCode = (await main(folder)) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
