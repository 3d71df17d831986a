import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(resolve(root, file), "utf8");

/** "`file`: name", up to a line break in the cell or the end of the cell. */
const named = [...read("docs/security.md").matchAll(/`(test\/[^`]+\.test\.ts)`: (.+?)(?=<br>|\s*\|)/g)].map(
  ([, file = "", name = ""]) => ({ file, name }),
);

describe("docs/security.md", () => {
  it("names a test in every row of its tables of attacks", () => {
    const rows = read("docs/security.md")
      .split("\n## ")
      .filter((section) => /\| test +\|\n/.test(section))
      .flatMap((section) => section.split("\n").filter((line) => line.startsWith("| ")))
      .filter((line) => !/^\| (?:-|what )[^|]*\| (?:-|what )/.test(line));
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.filter((line) => !line.includes(".test.ts`: "))).toEqual([]);
  });

  it.each(named)("names an existing test: $file, $name", ({ file, name }) => {
    expect(existsSync(resolve(root, file))).toBe(true);
    expect(read(file).includes(`"${name}"`)).toBe(true);
  });
});
