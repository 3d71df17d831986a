import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { slugOf } from "../../docs/.vitepress/slug.ts";
import { docsTables, withTables } from "../../infra/docs-tables.ts";
import { pollingModes } from "../../lib/core/options.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(resolve(root, file), "utf8");
const readme = read("README.md");
const { scripts, bin } = JSON.parse(read("package.json")) as Record<
  "scripts" | "bin",
  Record<string, string>
>;

/** Every document that people read. */
const documents = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].concat(
  ["docs", "docs/decisions"].flatMap((folder) =>
    readdirSync(resolve(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${folder}/${name}`),
  ),
);

const withoutCode = (markdown: string): string => markdown.replaceAll(/^```[^]*?^```/gm, "");

/** The anchors of a document's headings. */
const anchorsOf = (file: string): readonly string[] =>
  [...withoutCode(read(file)).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => slugOf(heading));

/** Links to files and headings of this project that lead nowhere. */
const deadLinksOf = (file: string): readonly string[] =>
  [...withoutCode(read(file)).matchAll(/\]\(([^):\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => {
      const [path = "", anchor] = target.split("#");
      const at = path === "" ? file : relative(root, resolve(root, dirname(file), path));
      if (!existsSync(resolve(root, at))) return true;
      return anchor !== undefined && at.endsWith(".md") && !anchorsOf(at).includes(anchor);
    });

/** The npm and npx commands in code blocks and inline code. */
const commandsOf = (markdown: string): readonly string[] =>
  [...markdown.matchAll(/(?:`|^\s*)((?:npm|npx) [^`#\n]+)/gm)]
    .flatMap(([, line = ""]) => line.split("&&"))
    .map((command) => command.trim())
    .filter((command) => command !== "");

function exists(command: string): boolean {
  const [program, ...words] = command.split(" ");
  const name = (words[0] === "run" ? words[1] : words[0]) ?? "";
  if (program === "npx") return name in bin || existsSync(resolve(root, "node_modules/.bin", name));
  return ["ci", "pack"].includes(name) || scripts[name] !== undefined;
}

it("the README is short", () => {
  expect(Buffer.byteLength(readme)).toBeLessThan(12_000);
});

it.each(documents)("%s links only to files and headings that exist", (file) => {
  expect(deadLinksOf(file)).toEqual([]);
});

it("every picture is shown by a document", () => {
  const all = documents.map(read).join("\n");
  const pictures = readdirSync(resolve(root, "docs/images"));
  expect(pictures.filter((name) => !all.includes(`images/${name})`))).toEqual([]);
});

it.each(Object.keys(docsTables))("the tables of %s are current (npm run docs-tables)", (file) => {
  expect(withTables(file, read(file))).toBe(read(file));
});

it("docs/settings.md has every polling mode", () => {
  for (const mode of pollingModes) expect(read("docs/settings.md")).toContain(`| \`${mode}\``);
});

it.each(["README.md", "CONTRIBUTING.md", "docs/deploy.md", "docs/operate.md"])(
  "%s names only commands that exist",
  (file) => {
    const commands = commandsOf(read(file));
    expect(commands.length).toBeGreaterThan(5);
    expect(commands.filter((command) => !exists(command))).toEqual([]);
  },
);

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

it("npm start -- --help lists the flags and variables of docs/run-locally.md, and .env.example has the variables", async () => {
  const { stdout } = await promisify(execFile)("npm", ["start", "--silent", "--", "--help"], { cwd: root });
  const page = read("docs/run-locally.md");
  const named = new Set([...page.matchAll(/`(OPENAI_\w+|RUNNER_\w+)`/g)].map(([, name = ""]) => name));
  expect(named.size).toBe(7);
  for (const name of [...named, "--once", "--port", "--concurrency"]) expect(stdout).toContain(name);
  for (const name of named) expect(read(".env.example")).toContain(`#${name}=`);
});
