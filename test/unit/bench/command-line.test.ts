import { expect, it } from "vitest";
import { readCommandLine } from "../../../bench/command-line.ts";

const chosen = (...args: string[]) => {
  const asked = readCommandLine(args);
  if (asked === "help" || "wrong" in asked) return asked;
  return { ...asked, chosen: asked.chosen.map(({ name }) => name) };
};

it("the command line chooses all parts when none is named, and each named part once", () => {
  const all = ["cold", "polling", "drain", "refill", "rounds", "overhead", "memory", "dispatch", "cost"];
  expect(chosen()).toMatchObject({ chosen: all, short: false, json: false, write: false });
  expect(chosen("drain", "cold", "drain", "--short", "--json")).toMatchObject({
    chosen: ["cold", "drain"],
    short: true,
    json: true,
  });
});

it.each([[["--help"]], [["-h"]], [["nowhere", "--help"]]])("%j asks for help", (args) => {
  expect(chosen(...args)).toBe("help");
});

it.each([
  [["warm", "hot"], "There is no part warm, hot."],
  [["--fast"], "Unknown option '--fast'"],
  [["--json=3"], "Option '--json' does not take an argument"],
  [["--write", "cold"], "--write takes all parts, and not --short"],
  [["--write", "--short"], "--write takes all parts, and not --short"],
])("%j is rejected with an error message", (args, wrong) => {
  expect(chosen(...args)).toEqual({ wrong: expect.stringContaining(wrong) });
});
