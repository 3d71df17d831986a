import { parseArgs } from "node:util";
import { parts, type Part } from "./parts.ts";

export const usage = `Measures the runner on this machine, against a local Studio and model in processes of their own.

  npm run bench -- [PART …] [--short] [--json] [--write]

Parts: ${parts.map(({ name }) => name).join(", ")}; without one, all of them.

  --short   fewer rounds: minutes become seconds, and the figures rough
  --json    results as JSON on standard output
  --write   also writes docs/performance.md and .json and the tables of other documents (all parts, not short)
`;

export interface Asked {
  readonly chosen: readonly Part[];
  readonly short: boolean;
  readonly json: boolean;
  readonly write: boolean;
}

/** `wrong`: a sentence that says what is wrong. */
export function readCommandLine(args: readonly string[]): Asked | "help" | { readonly wrong: string } {
  const read = parse(args);
  if ("wrong" in read) return read;
  const { positionals: names, values } = read;
  if (values.help) return "help";
  const unknown = names.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0) return { wrong: `There is no part ${unknown.join(", ")}.` };
  if (values.write && (names.length > 0 || values.short))
    return { wrong: "--write takes all parts, and not --short: what is published comes from one whole run." };
  return { ...values, chosen: parts.filter(({ name }) => names.length === 0 || names.includes(name)) };
}

function parse(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  const options = { short: flag, json: flag, write: flag, help: { ...flag, short: "h" } };
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { wrong: error.message };
  }
}
