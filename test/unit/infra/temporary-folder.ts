import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** One per test file, gone when the file has ended. */
const root = mkdtempSync(join(tmpdir(), "infra-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

export const temporaryFolder = (): string => mkdtempSync(join(root, "cdk-"));
