import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { commands } from "../../../cli/commands.ts";
import { renderCliDocs } from "../../../cli/docs.ts";
import { parseCommandLine } from "../../../cli/program.ts";

it("docs/cli.md is what the commands say of themselves: npm run cli-docs", () => {
  expect(readFileSync("docs/cli.md", "utf8")).toBe(renderCliDocs(commands));
});

const examples = commands.flatMap(({ name, examples: rows }) =>
  rows.map(({ line }) => [name, line] as const),
);

it.each(examples)("an example of %s is one that it takes: %s", (name, line) => {
  // The shell takes `< file` for itself.
  const words = [...line.replace(/ < \S+$/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? "",
  );
  const parsed = parseCommandLine(commands, words, 80);
  expect("command" in parsed && parsed.command.name).toBe(name);
});
