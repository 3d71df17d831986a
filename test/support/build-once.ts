import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildStack } from "../../local/build.ts";
import type { StackSettings } from "../../local/local-settings.ts";
import { nameBundles, synthesizeWithBundles } from "./bundles.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The template that all scenarios share, with its bundles next to it. */
    readonly templateFile: string;
    /** A template that has every function, for scenarios with settings of their own. */
    readonly bundledFile: string;
    /** A folder with the bundle of every function, under the function's name. */
    readonly bundlesFolder: string;
  }
}

/**
 * Synthesizes and bundles the app once for all scenarios, because it takes seconds. Each stack overrides the
 * addresses.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "studio-runner-scenario-"));
  const pool = { name: "local", kind: "user" } as const;
  const whole: StackSettings = { stackName: "Local", pools: [{ ...pool, rotation: {} }] };
  const bundledFile = await buildStack(whole, join(folder, "bundled"));
  project.provide("bundledFile", bundledFile);
  project.provide("bundlesFolder", nameBundles(bundledFile, join(folder, "bundles")));
  const settings = { stackName: "Local", pools: [pool] };
  project.provide("templateFile", synthesizeWithBundles(bundledFile, settings, join(folder, "plain")));
  return () => rmSync(folder, { recursive: true, force: true });
}
