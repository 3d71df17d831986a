import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { deliverablesTable } from "../support/deliverables-table.ts";
import { pollingModes } from "../../lib/core/options.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(resolve(root, file), "utf8");
const readme = read("README.md");
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

/** Table rows without the padding that the formatter gives them. */
const rowsOf = (markdown: string): readonly string[] =>
  markdown
    .split("\n")
    .filter((line) => line.startsWith("|") && !/^[|\s-]+$/.test(line))
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim())
        .join("|"),
    );

/** Every command in a code block or in code words that begins with npm or npx. */
const commands = [
  ...new Set(
    [...readme.matchAll(/(?:`|^\s*)((?:npm|npx) [^`#\n]+)/gm)]
      .flatMap(([, line = ""]) => line.split("&&"))
      .map((command) => command.trim())
      .filter((command) => command !== ""),
  ),
];

describe("the README", () => {
  it("has the table of deliverables that the tools make", () => {
    const rows = rowsOf(readme);
    for (const row of rowsOf(deliverablesTable())) expect(rows).toContain(row);
  });

  it("names every polling mode", () => {
    for (const mode of pollingModes) expect(readme).toContain(`| \`${mode}\``);
  });

  it("links only to files that exist", () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = ""]) => target);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((target) => !existsSync(resolve(root, target)))).toEqual([]);
  });

  it("names only commands that there are", () => {
    const own = new Set(["ci", ...Object.keys(scripts)]);
    expect(commands.length).toBeGreaterThan(5);
    const unknown = commands.filter((command) => {
      const [program, ...words] = command.split(" ");
      const name = (words[0] === "run" ? words[1] : words[0]) ?? "";
      return program === "npm" ? !own.has(name) : !existsSync(resolve(root, "node_modules/.bin", name));
    });
    expect(unknown).toEqual([]);
  });
});

describe("npm start -- --help", () => {
  it("tells every flag and variable that the README names", async () => {
    const { stdout } = await promisify(execFile)("npm", ["start", "--silent", "--", "--help"], { cwd: root });
    const named = [...readme.matchAll(/`(OPENAI_\w+|RUNNER_\w+)`/g)].map(([, name = ""]) => name);
    expect(new Set(named).size).toBe(7);
    for (const name of named) expect(stdout).toContain(name);
    for (const flag of ["--once", "--port", "--concurrency"]) expect(stdout).toContain(flag);
  });
});
