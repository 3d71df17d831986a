import { expect, it } from "vitest";
import { parseLogLine } from "../../../cli/parse-log-line.ts";
import { sentenceOf } from "../../../cli/sentences.ts";

it.each([
  ["called tools", { calls: 2, tools: ["create_table", "create_list"] }, "called 2 tools: a table, a list"],
  ["answered", { calls: 0 }, "answered"],
  ["failed", { calls: 0, unusable: true }, "gave no usable answer"],
])("the end of a round in which the model %s says so", (_, fields, words) => {
  const line = parseLogLine(
    JSON.stringify({
      level: "INFO",
      message: "round_ended",
      runId: "r",
      workspaceId: "w",
      round: 3,
      ...fields,
    }),
  );
  expect(line && sentenceOf(line)).toBe(`round 3: the model ${words}`);
});
