import { expect, test } from "vitest";
import { drive } from "./drive.ts";

const cello = "Help me learn the cello.";
const repairPrompt = "These placeholders have no deliverable: {{artifact:chart:quarterly-outlook}}";

test.each([
  ["bad-json", "create_list", "{{artifact:list:quick-wins}}"],
  ["unknown-tool", "create_hologram", "{{artifact:list:views}}"],
  ["path-traversal", "create_file", "{{artifact:file:notes/field-notes.md}}"],
  ["negative-stacked", "create_stacked_bar_chart", "{{artifact:chart:cash-flow}}"],
])("[[%s]] makes one invalid call of %s, and then creates %s", (word, wrong, shown) => {
  const story = drive(`${cello} [[${word}]]`);

  expect(story.rounds[0]?.[0]?.name).toBe(wrong);
  expect(story.complaints).toHaveLength(1);
  expect(story.made).toContain(shown);
  expect(story.message).toContain(shown);
});

test("[[bad-json]] gives invalid JSON, and [[path-traversal]] a path out of the folder", () => {
  const [json, path] = drive("[[bad-json]] [[path-traversal]]").rounds[0] ?? [];

  expect(() => JSON.parse(json!.arguments)).toThrow(SyntaxError);
  expect(JSON.parse(path!.arguments).name).toBe("../../etc/field-notes.md");
});

test("[[svg-script]] creates an SVG with a script, and repeats the call without it only when it is rejected", () => {
  const svgs = (answer?: () => string) => {
    const story = drive("[[svg-script]]", answer === undefined ? {} : { answer });
    expect(story.message).toContain("{{artifact:svg:trend}}");
    return story.rounds.flat().flatMap((call) => (call.name === "create_svg" ? [call.arguments] : []));
  };

  const [taken, ...more] = svgs();
  expect(taken).toMatch(/<script>.*onclick=/);
  expect(more).toEqual([]);
  let first = true;
  const [, again] = svgs(() => {
    const output = JSON.stringify({ ok: !first });
    first = false;
    return output;
  });
  expect(again).not.toMatch(/onclick|script/);
});

test("[[dangling]] refers to a missing chart until it gets a repair prompt", () => {
  const first = drive(`${cello} [[dangling]]`);
  const second = drive([...first.items, { type: "user", text: repairPrompt }]);

  expect(first.message).toContain("{{artifact:chart:quarterly-outlook}}");
  expect(second.rounds).toEqual([]);
  expect(second.message).not.toContain("quarterly-outlook");
  expect(second.message).toContain("{{artifact:table:options}}");
});

test("[[dangling-forever]] refers to the missing chart after every repair prompt", () => {
  let story = drive(`${cello} [[dangling-forever]]`);
  for (let repair = 0; repair < 5; repair++) {
    story = drive([...story.items, { type: "user", text: repairPrompt }]);
    expect(story.message).toContain("{{artifact:chart:quarterly-outlook}}");
  }
});

test("[[endless]] calls a tool in each round", () => {
  const story = drive(`${cello} [[endless]]`, { mostRounds: 40, answer: () => '{"ok":true}' });

  expect(story.rounds).toHaveLength(40);
  expect(story.rounds[39]?.map((call) => JSON.parse(call.arguments).name)).toEqual(["notes/round-40.md"]);
});

test.each([0, 1, 2, 7])("[[rounds:%i]] takes that many rounds, and creates at most one table", (rounds) => {
  const story = drive(`${cello} [[rounds:${rounds}]]`);

  expect(story.rounds).toHaveLength(rounds);
  const tables = story.rounds.flat().filter(({ name }) => name === "create_table");
  expect(tables).toHaveLength(rounds === 0 ? 0 : 1);
});

const partial = [{ type: "text", text: "The launch should be staged in three waves, because" }];

test.each([
  ["refuse", [{ type: "refusal", refusal: "I can't help with that request." }], "completed"],
  ["incomplete", partial, "max_output_tokens"],
  ["content-filter", partial, "content_filter"],
  ["empty", [], "completed"],
  ["failed", [], "failed"],
])("[[%s]] ends the job in its first turn", (word, parts, outcome) => {
  expect(drive(`Hello [[${word}]]`).last).toEqual({ parts, outcome });
});

test("[[long-message]] gives one message of more than 24,000 characters, and then a short one", () => {
  const first = drive("[[long-message]]");
  const second = drive([...first.items, { type: "user", text: "The message is too long." }]);

  expect(first.message.length).toBeGreaterThan(24_000);
  expect(second.message.length).toBeLessThan(2_000);
});

test("special words in an earlier paragraph have no effect", () => {
  expect(drive(`[[refuse]] please\n\n${cello}`).rounds).toHaveLength(2);
});
