import { readFileSync } from "node:fs";
import { RunnerError } from "../lib/core/errors.ts";
import { longestInstructions } from "./inference-schema.ts";
import type { InferenceSettings } from "./settings.ts";

/**
 * The owner's additional instructions: the text in the settings, or the contents of the file that they name,
 * relative to the working directory. `undefined`: none.
 * @throws RunnerError `config_invalid` if the file cannot be read, is empty or too long
 */
export function ownInstructions({
  instructions,
  instructionsFile: path,
}: Pick<InferenceSettings, "instructions" | "instructionsFile">): string | undefined {
  if (path === undefined) return instructions;
  const text = read(path).trim();
  if (text.length >= 1 && text.length <= longestInstructions) return text;
  throw invalid(path, `holds ${text.length} characters. Give it 1 to ${longestInstructions}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw invalid(path, `cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

const invalid = (path: string, what: string): RunnerError =>
  new RunnerError("config_invalid", `inference.instructionsFile: ${path} ${what}.`);
