import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { commands } from "../../../cli/commands.ts";
import { renderCliDocs } from "../../../cli/docs.ts";
import { parseCommandLine } from "../../../cli/program.ts";

it("docs/cli.md equals the text generated from the commands (update it with npm run cli-docs)", () => {
  expect(readFileSync("docs/cli.md", "utf8")).toBe(renderCliDocs(commands));
});

const examples = commands.flatMap(({ name, examples: rows }) =>
  rows.map(({ line }) => [name, line] as const),
);

it.each(examples)("the example of %s in its help is a valid command line: %s", (name, line) => {
  // `< file` is for the shell.
  const words = [...line.replace(/ < \S+$/, "").matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? "",
  );
  const parsed = parseCommandLine(commands, words, { columns: 80, name: "runner" });
  expect("command" in parsed && parsed.command.name).toBe(name);
});
