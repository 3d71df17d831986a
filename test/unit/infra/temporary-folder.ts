import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";

export const temporaryFolder = (): string => mkdtempSync(join(inject("temporaryRoot"), "cdk-"));
