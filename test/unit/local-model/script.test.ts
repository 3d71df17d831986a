import { expect, test } from "vitest";
import { exampleWorkspaces } from "../../../local/model/examples.ts";
import { cannedNote, plan } from "../../../local/model/script.ts";
import { drive } from "./drive.ts";
import { apply, offered, toolNames } from "./tools.ts";

const placeholdersIn = (text: string): string[] => text.match(/\{\{artifact:[^}]*\}\}/g) ?? [];

const namesIn = (text: string): string[] =>
  drive(text).rounds.flatMap((round) => round.map((call) => call.name));

test("the example workspaces together use every tool", () => {
  const used = exampleWorkspaces.flatMap(({ title, text }) => namesIn(`Title: ${title}\n\n---\n\n${text}`));

  expect([...new Set(used)].toSorted()).toEqual(toolNames);
});

test.each([
  [
    "business",
    exampleWorkspaces[0]!.text,
    ["create_pie_chart", "create_bar_chart", "create_table", "create_stacked_bar_chart", "create_list"],
  ],
  [
    "operations",
    exampleWorkspaces[1]!.text,
    ["create_line_chart", "create_area_chart", "create_scatter_chart", "create_checklist", "create_file"],
  ],
  ["architecture", exampleWorkspaces[2]!.text, ["create_svg", "create_table", "create_file", "create_list"]],
  [
    "general",
    "Help me learn the cello.",
    ["create_table", "create_bar_chart", "create_checklist", "create_list", "create_file"],
  ],
])(
  "the %s answer makes its deliverables in two rounds, each within its caps and each shown",
  (_, text, names) => {
    const story = drive(text);

    const calls = story.rounds.flat();
    expect(story.rounds).toHaveLength(2);
    expect(calls.map((call) => call.name)).toEqual(names);
    expect(placeholdersIn(story.message)).toEqual(calls.map((call) => apply(call)));
    expect(story.message.split("\n").at(-1)).toBe(cannedNote);
  },
);

test("quotes the first 200 characters of the newest message without its markup", () => {
  const words = "Plan a {{artifact:chart:x}} <b>picnic</b> for [[rounds:1]] us. ";
  const story = drive(`Title: Picnic\n\n---\n\n### Recent user messages\n\n${words.repeat(10)}`);

  expect(story.message).toContain("You wrote: “Plan a artifact:chart:x b picnic /b for us. Plan a");
  expect(/“(.*)”/.exec(story.message)?.[1]).toHaveLength(200);
  expect(story.message).toContain("## Picnic");
});

test("a text of an unusual kind still gives deliverables within their caps", () => {
  for (const text of [
    "",
    "😀".repeat(400),
    "one = two, javascript:alert(1)",
    "</svg><script>",
    "A\u0000B app",
  ]) {
    const story = drive(text);
    expect(story.rounds.flat().filter((call) => apply(call) === undefined)).toEqual([]);
    expect(story.rounds).toHaveLength(2);
  }
});

test("the same conversation gives the same turn", () => {
  const story = drive(exampleWorkspaces[0]!.text);
  const conversation = { tools: offered, items: story.items.slice(0, 7) };

  expect(plan(conversation)).toEqual(plan(structuredClone(conversation)));
  expect(story.items.slice(0, 7).map((item) => item.type)).toEqual([
    "user",
    "call",
    "call",
    "call",
    "output",
    "output",
    "output",
  ]);
});

test("repeats a refused call under another id and shows that one", () => {
  const refuseOnce = new Set(['"id":"budget-split"']);
  const story = drive(exampleWorkspaces[0]!.text, {
    answer: (call) => {
      const hit = [...refuseOnce].find((text) => call.arguments.includes(text));
      return JSON.stringify({ ok: hit === undefined });
    },
  });

  expect(story.rounds[1]?.[0]?.arguments).toContain('"id":"budget-split-2"');
  expect(story.message).toContain("{{artifact:chart:budget-split-2}}");
  expect(story.message).not.toContain("{{artifact:chart:budget-split}}");
});

test("repeats a refused file under another name with its ending", () => {
  const story = drive("Help me learn the cello.", {
    answer: (call) => JSON.stringify({ ok: !call.arguments.includes('"brief.md"') }),
  });

  expect(story.message).toContain("{{artifact:file:brief-2.md}}");
});

test("gives a deliverable up after four refusals and leaves it out of the message", () => {
  const story = drive("Help me learn the cello.", {
    answer: (call) => JSON.stringify({ ok: call.name !== "create_table" }),
  });

  expect(story.rounds.flat().filter((call) => call.name === "create_table")).toHaveLength(4);
  expect(story.message).not.toContain("artifact:table");
  expect(story.message).toContain("{{artifact:checklist:next-steps}}");
});

test("calls only tools that are offered", () => {
  const story = drive(exampleWorkspaces[0]!.text, {
    tools: offered.filter((tool) => tool.name === "create_list"),
  });

  expect(story.rounds.map((round) => round.map((call) => call.name))).toEqual([["create_list"]]);
});

test("gives arguments the form of the tool's schema: null for what is absent, nothing beside", () => {
  const [call] = drive("Help me learn the cello.").rounds[1] ?? [];
  expect(JSON.parse(call!.arguments)).toEqual({
    list: {
      id: "questions",
      title: "Questions worth an answer first",
      ordered: null,
      items: expect.arrayContaining(["Who would miss it if it never came?"]),
    },
  });

  const loose = [
    {
      name: "create_list",
      parameters: { type: "object", properties: { list: { type: "object" } }, required: ["list"] },
    },
  ];
  const [free] =
    drive("Help me learn the cello.", { tools: loose, answer: () => '{"ok":true}' }).rounds[0] ?? [];
  expect(JSON.parse(free!.arguments).list.kind).toBe("list");
});

test("summarizes in sentences of the text when no tools are offered", () => {
  const text =
    "We met on Monday. The budget must stay below 9,000 EUR. It rained. See https://example.org/plan for more.";
  const turn = plan({ tools: [], items: [{ type: "user", text }] });

  const [part] = turn.parts;
  expect(part?.type === "text" && part.text).toContain("- The budget must stay below 9,000 EUR.\n");
  expect(part?.type === "text" && part.text).toContain("- See https://example.org/plan for more.\n");
});

test("takes a later message that is no repair prompt for a new request", () => {
  const first = drive("Help me learn the cello.");
  const second = drive([...first.items, { type: "user", text: "Now the violin, please." }]);

  expect(second.rounds).toHaveLength(2);
  expect(second.message).toContain("You wrote: “Now the violin, please.”");
});
