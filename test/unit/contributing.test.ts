import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(resolve(root, file), "utf8");
const guides = {
  "CONTRIBUTING.md": read("CONTRIBUTING.md"),
  "docs/architecture.md": read("docs/architecture.md"),
};
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

it.each(Object.entries(guides))("%s names only files and folders that exist", (_, text) => {
  const places = [...text.matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map(([, place = ""]) => place);
  expect(places.length).toBeGreaterThan(15);
  expect(places.filter((place) => !existsSync(resolve(root, place)))).toEqual([]);
});

it("CONTRIBUTING.md names only scripts that exist", () => {
  const named = [...guides["CONTRIBUTING.md"].matchAll(/npm run ([\w-]+)/g)].map(([, name = ""]) => name);
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
});

it.each([
  ["lib/deliverables/registry.ts", "export const tools"],
  ["lib/core/metrics.ts", "export const metricTable"],
  ["cli/commands.ts", "export const commands"],
  ["lib/attempt/ending.ts", "const plainWords"],
])("%s holds a list that the guides name: %s", (file, declaration) => {
  expect(read(file)).toContain(declaration);
  const name = declaration.split(" ").at(-1);
  expect(Object.values(guides).join()).toContain(`\`${name}\` in \``);
});
