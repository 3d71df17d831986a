import { describe, expect, test } from "vitest";
import { call, errorOf } from "./samples.ts";

const path = (last: string): string => `${`${"f".repeat(38)}/`.repeat(4)}${last}.md`;

describe("create_file, given a relative path of plain segments,", () => {
  test.each(["a.md", "A-b_c.1.md", "a/b/c/d/e.txt", `${"x".repeat(45)}.md`, "NOTES.MD", "_a/.b/c.md"])(
    "accepts %s",
    (name) => {
      expect(call("create_file", { name }).draft.files[0]?.name).toBe(name);
    },
  );

  test("accepts at most 160 characters", () => {
    expect(path("x")).toHaveLength(160);
    expect(call("create_file", { name: path("x") }).ok).toBe(true);
    expect(errorOf(call("create_file", { name: path("xx") }))).toContain("161 characters given, at most 160");
  });
});

describe("create_file, given a name that leaves its folder or that Studio would change,", () => {
  test.each([
    ["../a.md", "must not contain .."],
    ["a/../../b.md", "must not contain .."],
    ["a/..", "must not contain .."],
    ["/etc/a.md", "must be relative"],
    ["a\\b.md", "not a backslash"],
    ["..\\a.md", "not a backslash"],
    ["C:\\a.md", "not a backslash"],
    ["C:/a.md", "segments of letters"],
    ["a//b.md", "segments of letters"],
    ["./a.md", "segments of letters"],
    ["a/", "segments of letters"],
    ["a b.md", "segments of letters"],
    ["ä.md", "segments of letters"],
    ["a%2e%2e/b.md", "segments of letters"],
    ["a\u0000.md", "segments of letters"],
    ["a.md\n", "segments of letters"],
    ["a/b/c/d/e/f.md", "at most 4 folders"],
    [`${"x".repeat(46)}.md`, "segments of at most 48 characters"],
    [`${"x".repeat(49)}/a.md`, "segments of at most 48 characters"],
    ["a.html", "must end in .md or .txt"],
    ["a", "must end in .md or .txt"],
    ["a.md.exe", "must end in .md or .txt"],
    [".md", "must end in .md or .txt"],
    ["a/.txt", "must end in .md or .txt"],
    ["", "at least 1"],
  ])("rejects %j: %s", (name, reason) => {
    const result = call("create_file", { name });
    expect(result.draft.files).toEqual([]);
    expect(errorOf(result)).toContain(reason);
  });
});
