import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { transformSync } from "esbuild";
import { guards, type Guard } from "./guards.ts";

/**
 * `npm run guards`: takes each guard of a promise out of a copy of the project and runs its test there, which must pass
 * with the guard and fail without it. Exit code 1 names the guards that no test misses.
 */
const root = resolve(import.meta.dirname, "../..");
const copy = mkdtempSync(join(tmpdir(), "studio-runner-guards-"));
const copied = [
  "lib",
  "functions",
  "infra",
  "local",
  "test",
  "package.json",
  "tsconfig.json",
  "cdk.json",
  "vitest.config.ts",
];

function passes({ test }: Guard): boolean {
  const pattern = test.name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const args = ["run", "--project", "unit", test.file, "--testNamePattern", pattern];
  return spawnSync(join(root, "node_modules/.bin/vitest"), args, { cwd: copy, stdio: "ignore" }).status === 0;
}

/** A file that is broken by the removal fails every test, and proves nothing. */
function parses(source: string): boolean {
  try {
    transformSync(source, { loader: "ts" });
    return true;
  } catch {
    return false;
  }
}

function check(guard: Guard): "kept" | "not missed" | "not there" | "does not parse" | "test fails anyway" {
  const file = join(copy, guard.file);
  const source = readFileSync(file, "utf8");
  if (source.split(guard.remove).length !== 2) return "not there";
  const without = source.replace(guard.remove, () => guard.put);
  if (!parses(without)) return "does not parse";
  if (!passes(guard)) return "test fails anyway";
  writeFileSync(file, without);
  const isMissed = !passes(guard);
  writeFileSync(file, source);
  return isMissed ? "kept" : "not missed";
}

try {
  for (const name of copied) cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  let broken = 0;
  for (const guard of guards) {
    const outcome = check(guard);
    if (outcome !== "kept") broken++;
    process.stdout.write(
      `${outcome === "kept" ? "ok  " : "FAIL"}  ${guard.promise}: ${guard.guard}${outcome === "kept" ? "" : ` (${outcome})`}\n`,
    );
  }
  process.stdout.write(
    `\n${guards.length - broken} of ${guards.length} guards are missed by their test when they are taken out\n`,
  );
  process.exitCode = broken === 0 ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
