import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { App, Stack } from "aws-cdk-lib";
import { describe, expect, it } from "vitest";
import { functionCode } from "../../../infra/bundle.ts";
import { ownInstructions } from "../../../infra/own-instructions.ts";
import { synthesizeUnbundled } from "./synthesized.ts";
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

  it("are a file beside the processor's bundle, which its environment names", () => {
    const instructions = 'Quote "this", `that` and $(those).';
    const outdir = temporaryFolder();
    functionCode("process", instructions).bind(new Stack(new App({ outdir })));
    const [asset = "", ...more] = readdirSync(outdir).filter((name) => name.startsWith("asset."));
    expect(more).toEqual([]);
    expect(readdirSync(join(outdir, asset)).toSorted()).toEqual([
      "index.js",
      "index.js.map",
      "instructions.md",
    ]);
    expect(readFileSync(join(outdir, asset, "instructions.md"), "utf8")).toBe(instructions);
    const { variables } = synthesizeUnbundled({ inference: { instructions } });
    expect(variables("Processor")).toMatchObject({ RUNNER_INSTRUCTIONS_FILE: "instructions.md" });
    expect(synthesizeUnbundled({}).variables("Processor")).not.toHaveProperty("RUNNER_INSTRUCTIONS_FILE");
  });
});
