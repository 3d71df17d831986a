import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** A folder for this test run, deleted at its end. */
    readonly temporaryRoot: string;
  }
}

export default function setup(project: TestProject): () => void {
  const root = mkdtempSync(join(tmpdir(), "studio-runner-unit-"));
  project.provide("temporaryRoot", root);
  return () => rmSync(root, { recursive: true, force: true });
}
