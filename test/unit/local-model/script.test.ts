import { expect, test } from "vitest";
import { toolDefinitions } from "../../../lib/deliverables/registry.ts";
import { exampleWorkspaces } from "../../../local/model/examples.ts";
import { drive, placeholdersIn, type Call } from "./drive.ts";

const cello = "Help me learn the cello.";
const coffee = exampleWorkspaces[0]!.text;
const namesOf = (calls: readonly Call[]): string => calls.map(({ name }) => name).join(" ");

test("a message without an answer of its own is told so, and shown what an answer may contain", () => {
  const story = drive(cello);

  expect(story.rounds.map(namesOf)).toEqual([
    "create_table create_bar_chart create_checklist",
    "create_list create_file",
  ]);
  expect(story.complaints).toEqual([]);
  expect(placeholdersIn(story.message)).toEqual(story.made);
  expect(story.message).toContain("## There is no canned answer to this message");
  expect(story.message).toContain("> Help me learn the cello.");
  expect(story.message.split("\n").at(-1)).toBe("_Canned answer of the offline model._");
});

test.each([
  "",
  "😀".repeat(400),
  "A system where on = off, javascript:alert(1) {{artifact:chart:x}}",
  "</svg><script>",
])("the runner accepts every call for the unusual text %j", (text) => {
  const story = drive(text);

  expect(story.complaints).toEqual([]);
  expect(story.rounds).toHaveLength(2);
});

test("a rejected call is repeated with another id or file name, which the message refers to", () => {
  const story = drive(coffee, {
    answer: (call) => JSON.stringify({ ok: !call.arguments.includes('"id":"budget-split"') }),
  });
  expect(story.rounds[1]?.[0]?.arguments).toContain('"id":"budget-split-2"');
  expect(story.message).toContain("{{artifact:chart:budget-split-2}}");
  expect(story.message).not.toContain("{{artifact:chart:budget-split}}");

  const file = drive(cello, {
    answer: (call) => JSON.stringify({ ok: !call.arguments.includes('"your-message.md"') }),
  });
  expect(file.message).toContain("{{artifact:file:your-message-2.md}}");
});

test("a deliverable that is rejected four times is left out of the message", () => {
  const story = drive(cello, {
    answer: (call) => JSON.stringify({ ok: call.name !== "create_table" }),
  });

  expect(story.rounds.flat().filter((call) => call.name === "create_table")).toHaveLength(4);
  expect(story.message).not.toContain("artifact:table");
  expect(story.message).toContain("{{artifact:checklist:next-steps}}");
});

test("only the offered tools are called", () => {
  const tools = toolDefinitions.filter((tool) => tool.name === "create_list");

  expect(drive(coffee, { tools }).rounds.map(namesOf)).toEqual(["create_list"]);
});

test("arguments fit the tool's schema, with null for absent fields and no extra fields", () => {
  const [call] = drive(cello).rounds[1] ?? [];
  expect(JSON.parse(call!.arguments)).toEqual({
    list: {
      id: "without-a-key",
      title: "Without a key",
      ordered: null,
      items: expect.arrayContaining([
        "Use one of the prompts that a new workspace suggests: each has an answer that was written for it.",
      ]),
    },
  });

  const parameters = { type: "object", properties: { list: { type: "object" } }, required: ["list"] };
  const tools = [{ name: "create_list", parameters }];
  const [free] = drive(cello, { tools, answer: () => '{"ok":true}' }).rounds[0] ?? [];
  expect(JSON.parse(free!.arguments).list.kind).toBe("list");
});

test("a request without tools is answered with sentences of the text as a summary", () => {
  const text =
    "We met on Monday. The budget must stay below 9,000 EUR. It rained. See https://example.org/plan for more.";
  const { message } = drive(text, { tools: [] });

  expect(message).toContain("- The budget must stay below 9,000 EUR.\n");
  expect(message).toContain("- See https://example.org/plan for more.\n");
});

test("a later message that is not a repair prompt starts a new request", () => {
  const first = drive(cello);
  const second = drive([...first.items, { type: "user", text: "Now the violin, please." }]);

  expect(second.rounds).toHaveLength(2);
  expect(second.message).toContain("> Now the violin, please.");
});

test("special words in an earlier paragraph have no effect", () => {
  expect(drive(`[[refuse]] please\n\n${cello}`).rounds).toHaveLength(2);
});
