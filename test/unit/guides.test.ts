import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { deliverablesTable } from "../support/deliverables-table.ts";
import { pollingModes } from "../../lib/core/options.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(resolve(root, file), "utf8");
const readme = read("README.md");
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

/** Table rows without the formatter's padding. */
const rowsOf = (markdown: string): readonly string[] =>
  markdown
    .split("\n")
    .filter((line) => line.startsWith("|") && !/^[|\s-]+$/.test(line))
    .map((line) => line.replaceAll(/\s*\|\s*/g, "|"));

/** The npm and npx commands in code blocks and inline code. */
const commandsOf = (markdown: string): readonly string[] =>
  [...markdown.matchAll(/(?:`|^\s*)((?:npm|npx) [^`#\n]+)/gm)]
    .flatMap(([, line = ""]) => line.split("&&"))
    .map((command) => command.trim())
    .filter((command) => command !== "");

function exists(command: string): boolean {
  const [program, ...words] = command.split(" ");
  const name = (words[0] === "run" ? words[1] : words[0]) ?? "";
  if (program === "npx") return existsSync(resolve(root, "node_modules/.bin", name));
  return name === "ci" || scripts[name] !== undefined;
}

it("the README has the table of deliverables generated from the tools, and every polling mode", () => {
  expect(rowsOf(readme)).toEqual(expect.arrayContaining([...rowsOf(deliverablesTable())]));
  for (const mode of pollingModes) expect(readme).toContain(`| \`${mode}\``);
});

it("the README links only to files that exist", () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = ""]) => target);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((target) => !existsSync(resolve(root, target)))).toEqual([]);
});

it.each(["README.md", "CONTRIBUTING.md"])("%s names only commands that exist", (file) => {
  const commands = commandsOf(read(file));
  expect(commands.length).toBeGreaterThan(5);
  expect(commands.filter((command) => !exists(command))).toEqual([]);
});

it.each(["CONTRIBUTING.md", "docs/architecture.md"])("%s names only files and folders that exist", (file) => {
  const places = [...read(file).matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map(([, place = ""]) => place);
  expect(places.length).toBeGreaterThan(15);
  expect(places.filter((place) => !existsSync(resolve(root, place)))).toEqual([]);
});

it.each([
  ["CONTRIBUTING.md", "lib/deliverables/registry.ts", "export const tools"],
  ["CONTRIBUTING.md", "lib/core/metrics.ts", "export const metricTable"],
  ["CONTRIBUTING.md", "cli/commands.ts", "export const commands"],
  ["docs/architecture.md", "lib/attempt/outcome.ts", "const plainWords"],
])("%s refers to a list that %s declares: %s", (guide, file, declaration) => {
  expect(read(guide)).toContain(`\`${declaration.split(" ").at(-1)}\` in \`${file}\``);
  expect(read(file)).toContain(declaration);
});

it("npm start -- --help lists the flags and variables in the README", async () => {
  const { stdout } = await promisify(execFile)("npm", ["start", "--silent", "--", "--help"], { cwd: root });
  const named = [...readme.matchAll(/`(OPENAI_\w+|RUNNER_\w+)`/g)].map(([, name = ""]) => name);
  expect(new Set(named).size).toBe(7);
  for (const name of [...named, "--once", "--port", "--concurrency"]) expect(stdout).toContain(name);
});
