import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { guards } from "../guards/guards.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(resolve(root, file), "utf8");

describe("docs/reliability.md", () => {
  it("has exactly one row for each guard", () => {
    const rows = read("docs/reliability.md")
      .split("\n")
      .filter((line) => /^\| \d\. /.test(line))
      .map((line) =>
        line
          .split("|")
          .map((cell) => cell.trim())
          .slice(1, -1),
      );
    expect(rows).toEqual(
      guards.map(({ promise, guard, file, test }) => [
        promise,
        guard,
        `\`${file}\``,
        `\`${test.file}\`: ${test.name}`,
      ]),
    );
  });
});

describe("the guards", () => {
  it.each(guards)("have code that occurs exactly once in its file: $guard", ({ file, remove }) => {
    expect(read(file).split(remove)).toHaveLength(2);
  });

  it.each(guards)("have an existing test: $guard", ({ test }) => {
    expect(read(test.file)).toContain(`"${test.name}"`);
  });
});
