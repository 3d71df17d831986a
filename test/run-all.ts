import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as z from "zod";

/**
 * `npm test`: everything that must hold, one step after the other, all of them even when one fails. Ends with the line
 * `N passed, N failed`, which CI reads; each step that is not made of tests counts as one.
 */
const root = resolve(import.meta.dirname, "..");
const workDir = mkdtempSync(join(tmpdir(), "studio-runner-test-"));
const resultsFile = join(workDir, "vitest.json");

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** What the step counts as; absent: one, passed or failed. */
  readonly count?: () => Counts;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const steps: readonly Step[] = [
  { name: "format", command: ["oxfmt", "--check", "."] },
  { name: "lint", command: ["oxlint", "--type-aware"] },
  { name: "types", command: ["tsc", "--noEmit"] },
  { name: "types of the page", command: ["tsc", "--noEmit", "--project", "local/studio/page"] },
  { name: "synth", command: ["cdk", "synth", "--quiet", "--output", join(workDir, "cdk.out")] },
  {
    name: "tests",
    command: ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${resultsFile}`],
    count: readResults,
  },
];

const resultsSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numFailedTestSuites: z.number(),
});

/** A file that could not be loaded has no tests that failed, and is a failure all the same. */
function readResults(): Counts {
  const results = resultsSchema.parse(JSON.parse(readFileSync(resultsFile, "utf8")));
  const failed = Math.max(results.numFailedTests, Math.min(1, results.numFailedTestSuites));
  return { passed: results.numPassedTests, failed, skipped: results.numPendingTests };
}

async function run({ name, command, count }: Step): Promise<Counts> {
  const [program, ...args] = command;
  process.stdout.write(`\n── ${name}: ${program} ${args.join(" ")}\n`);
  const startedMs = performance.now();
  const ok = await succeeds(program, args);
  process.stdout.write(
    `── ${name}: ${ok ? "ok" : "FAILED"} (${((performance.now() - startedMs) / 1_000).toFixed(1)} s)\n`,
  );
  const own = { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
  if (!count) return own;
  const counts = tryCount(count) ?? own;
  // A runner that fails without a failed test (a leaked error, a crash) has failed.
  return ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

function tryCount(count: () => Counts): Counts | undefined {
  try {
    return count();
  } catch (error) {
    process.stderr.write(`no results: ${String(error)}\n`);
    return undefined;
  }
}

function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return new Promise((done) => {
    const env = {
      ...process.env,
      PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
      // Halves the time that each of the many processes takes to load.
      NODE_COMPILE_CACHE: join(workDir, "compile-cache"),
      CDK_DISABLE_CLI_TELEMETRY: "true",
      CDK_DISABLE_VERSION_CHECK: "1",
    };
    const child = spawn(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], env });
    child.once("error", () => done(false));
    child.once("close", (code) => done(code === 0));
  });
}

let total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const step of steps) {
  const { passed, failed, skipped } = await run(step);
  total = { passed: total.passed + passed, failed: total.failed + failed, skipped: total.skipped + skipped };
}
rmSync(workDir, { recursive: true, force: true });
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
