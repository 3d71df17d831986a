import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { ownInstructions } from "../../../infra/own-instructions.ts";
import { buildOptions, bundling } from "../../../infra/bundle.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const fileWith = (text: string): string => {
  const path = join(temporaryFolder(), "style.md");
  writeFileSync(path, text);
  return path;
};

describe("the owner's instructions", () => {
  it("are read from the settings, or from the file named there", () => {
    expect(ownInstructions({ instructions: "Be brief." })).toBe("Be brief.");
    expect(ownInstructions({ instructionsFile: fileWith("\n# Style\n\nBe brief.\n") })).toBe(
      "# Style\n\nBe brief.",
    );
    expect(ownInstructions({})).toBeUndefined();
  });

  it("fail the synthesis when their file is missing, empty or too long", () => {
    expect(() => ownInstructions({ instructionsFile: "/nowhere/style.md" })).toThrow(
      /^inference\.instructionsFile: \/nowhere\/style\.md cannot be read \(ENOENT/,
    );
    expect(() => ownInstructions({ instructionsFile: fileWith(" \n") })).toThrow(
      "style.md holds 0 characters. Give it 1 to 20000.",
    );
    expect(() => ownInstructions({ instructionsFile: fileWith("x".repeat(20_001)) })).toThrow(
      "style.md holds 20001 characters. Give it 1 to 20000.",
    );
  });

  it("are bundled in base64, which no shell changes", () => {
    const { define = {} } = bundling('Quote "this", `that` and $(those).');
    expect(define).toEqual({
      "process.env.RUNNER_INSTRUCTIONS": '"UXVvdGUgInRoaXMiLCBgdGhhdGAgYW5kICQodGhvc2UpLg=="',
    });
    expect(bundling().define).toBeUndefined();
    const { outputFiles } = buildSync({ ...buildOptions("process"), define });
    const code = outputFiles.find(({ path }) => path.endsWith(".js"))!.text;
    expect(code).toContain("UXVvdGUgInRoaXMiLCBgdGhhdGAgYW5kICQodGhvc2UpLg==");
    expect(code).not.toContain("RUNNER_INSTRUCTIONS");
  });
});
