import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildStack } from "../../local/build.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The one template of all scenarios, its bundles beside it. */
    readonly templateFile: string;
  }
}

/** Synthesizes and bundles the app once for all scenarios: it takes seconds. Each stack sets its own addresses over it. */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "studio-runner-scenario-"));
  const settings = { stackName: "Local", pools: [{ name: "local", kind: "user" }] };
  project.provide("templateFile", await buildStack(settings, folder));
  return () => rmSync(folder, { recursive: true, force: true });
}
