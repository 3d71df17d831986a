import { expect, test } from "vitest";
import { parseOptions } from "../../chaos/options.ts";

const random = (): number => 0.5;

test("the values of flags are parsed, and the others have defaults", () => {
  const args = ["--jobs", "30", "--seed", "11", "--fault-rate", "0.2"];
  expect(parseOptions(args, random)).toMatchObject({ jobs: 30, seed: 11, faultRate: 0.2, killRate: 0.05 });
});

test.each([
  ["--jobs", "1.5", "--jobs takes a whole number"],
  ["--jobs", "0", "--jobs takes a number from 1 to 100000"],
  ["--seed", "1.5", "--seed takes a whole number"],
  ["--kill-rate", "2", "--kill-rate takes a number from 0 to 0.5"],
  ["--only", "frost", '"frost" is none'],
  ["--frob", "1", "'--frob'"],
])("%s %s is refused with a message that names it", (flag, value, words) => {
  expect(() => parseOptions([flag, value], random)).toThrow(words);
});
