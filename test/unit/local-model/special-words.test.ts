import { expect, test } from "vitest";
import { drive } from "./drive.ts";
import { apply } from "./tools.ts";

const repairPrompt = "These placeholders have no deliverable: {{artifact:chart:quarterly-outlook}}";

test.each([
  { word: "bad-json", wrong: "create_list", right: "create_list", shown: "{{artifact:list:quick-wins}}" },
  { word: "unknown-tool", wrong: "create_hologram", right: "create_list", shown: "{{artifact:list:views}}" },
  {
    word: "path-traversal",
    wrong: "create_file",
    right: "create_file",
    shown: "{{artifact:file:notes/field-notes.md}}",
  },
  { word: "svg-script", wrong: "create_svg", right: "create_svg", shown: "{{artifact:svg:trend}}" },
  {
    word: "negative-stacked",
    wrong: "create_stacked_bar_chart",
    right: "create_stacked_bar_chart",
    shown: "{{artifact:chart:cash-flow}}",
  },
])("[[$word]] first calls $wrong wrongly, then $right rightly", ({ word, wrong, right, shown }) => {
  const story = drive(`Help me learn the cello. [[${word}]]`);

  const first = story.rounds[0]![0]!;
  expect(first.name).toBe(wrong);
  expect(apply(first)).toBeUndefined();
  expect(story.rounds[1]!.filter((call) => apply(call) === shown).map((call) => call.name)).toEqual([right]);
  expect(story.message).toContain(shown);
});

test("[[bad-json]] is not JSON and [[path-traversal]] leaves its folder", () => {
  const [json, path] = drive("[[bad-json]] [[path-traversal]]").rounds[0] ?? [];

  expect(() => JSON.parse(json!.arguments)).toThrow(SyntaxError);
  expect(JSON.parse(path!.arguments).name).toBe("../../etc/field-notes.md");
});

test("[[svg-script]] goes on when its script was taken out for it", () => {
  const story = drive("[[svg-script]]", { answer: () => '{"ok":true,"removed":["script"]}' });

  const calls = story.rounds.flat().filter((call) => call.name === "create_svg");
  expect(calls).toHaveLength(1);
  expect(calls[0]?.arguments).toContain("<script>");
  expect(calls[0]?.arguments).toContain("onclick=");
  expect(story.message).toContain("{{artifact:svg:trend}}");
});

test("[[dangling]] names a missing chart until it is told", () => {
  const first = drive("Help me learn the cello. [[dangling]]");
  const second = drive([...first.items, { type: "user", text: repairPrompt }]);

  expect(first.message).toContain("{{artifact:chart:quarterly-outlook}}");
  expect(second.rounds).toEqual([]);
  expect(second.message).not.toContain("quarterly-outlook");
  expect(second.message).toContain("{{artifact:table:options}}");
});

test("[[dangling-forever]] names it again after every repair prompt", () => {
  let story = drive("Help me learn the cello. [[dangling-forever]]");
  for (let repair = 0; repair < 5; repair++) {
    story = drive([...story.items, { type: "user", text: repairPrompt }]);
    expect(story.message).toContain("{{artifact:chart:quarterly-outlook}}");
  }
});

test("[[endless]] calls a tool in each round", () => {
  const story = drive("Help me learn the cello. [[endless]]", { mostRounds: 40 });

  expect(story.rounds).toHaveLength(40);
  expect(story.rounds[39]?.map((call) => JSON.parse(call.arguments).name)).toEqual(["notes/round-40.md"]);
});

test.each([0, 1, 2, 7])("[[rounds:%i]] takes that many rounds", (rounds) => {
  const story = drive(`Help me learn the cello. [[rounds:${rounds}]]`);

  expect(story.rounds).toHaveLength(rounds);
  expect(
    story.rounds
      .flat()
      .map((call) => call.name)
      .filter((name) => name === "create_table"),
  ).toHaveLength(rounds === 0 ? 0 : 1);
});

test.each([
  ["refuse", [{ type: "refusal", refusal: "I can't help with that request." }], "completed"],
  [
    "incomplete",
    [{ type: "text", text: "The launch should be staged in three waves, because" }],
    "max_output_tokens",
  ],
  [
    "content-filter",
    [{ type: "text", text: "The launch should be staged in three waves, because" }],
    "content_filter",
  ],
  ["empty", [], "completed"],
  ["failed", [], "failed"],
])("[[%s]] ends the job at once", (word, parts, outcome) => {
  expect(drive(`Hello [[${word}]]`).last).toEqual({ parts, outcome });
});

test("[[long-message]] is over 24,000 characters once", () => {
  const first = drive("[[long-message]]");
  const second = drive([...first.items, { type: "user", text: "The message is too long." }]);

  expect(first.message.length).toBeGreaterThan(24_000);
  expect(second.message.length).toBeLessThan(2_000);
});

test("[[slow:MS]] sets the time of each turn", () => {
  expect(drive("Hello [[slow:1500]]").last.latencyMs).toBe(1500);
  expect(drive("Hello").last.latencyMs).toBeUndefined();
});

test("words of an older message, in an earlier paragraph, have no effect", () => {
  expect(drive("[[refuse]] please\n\nHelp me learn the cello.").rounds).toHaveLength(2);
});
