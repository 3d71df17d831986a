import { describe, expect, test } from "vitest";
import {
  danglingPlaceholders,
  findPlaceholders,
  repairPrompt,
} from "../../../lib/deliverables/placeholders.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { fullDraft } from "./samples.ts";

const tokens = (message: string, made = fullDraft()): string[] =>
  danglingPlaceholders(message, made).map(({ token }) => token);

test("placeholders are found in the order of the message, whatever their case and spacing", () => {
  expect(findPlaceholders("a {{artifact:chart:kpi}} b {{ Artifact : FILE : specs/API.md }}")).toEqual([
    { token: "{{artifact:chart:kpi}}", kind: "chart", id: "kpi" },
    { token: "{{ Artifact : FILE : specs/API.md }}", kind: "file", id: "specs/API.md" },
  ]);
});

test("an id may contain a colon", () => {
  expect(findPlaceholders("{{artifact:table:a: b}}")[0]?.id).toBe("a: b");
});

test("other text in braces is ignored", () => {
  expect(findPlaceholders("{{name}} {artifact:chart:a} {{artifacts:chart:a}} artifact:chart:a")).toEqual([]);
});

test("a placeholder of an existing deliverable does not dangle, whatever its case and spacing", () => {
  const message =
    "{{artifact:chart:KPI}} {{artifact:table:plans}} {{artifact:file:Specs/Api.md}} {{ artifact : svg : logo }} " +
    "{{artifact:LIST:steps}} {{artifact:checklist:launch}}";
  expect(tokens(message)).toEqual([]);
  expect(tokens(message, emptyDraft)).toHaveLength(6);
});

describe("a placeholder", () => {
  test.each([
    ["with an id that does not exist", "{{artifact:chart:other}}"],
    ["with an id of another kind", "{{artifact:list:launch}}"],
    ["with an unknown kind", "{{artifact:graph:kpi}}"],
    ["without an id", "{{artifact:chart:}}"],
    ["without a kind", "{{artifact}}"],
    ["with a brace in the id", "{{artifact:chart:{kpi}}"],
  ])("dangles %s", (_what, token) => {
    expect(tokens(`x ${token} y`)).toEqual([token]);
  });

  test("is reported once when it dangles", () => {
    expect(tokens("{{artifact:chart:a}} {{artifact:CHART:A}} {{artifact:chart:b}}")).toEqual([
      "{{artifact:chart:a}}",
      "{{artifact:chart:b}}",
    ]);
  });
});

test("the repair prompt names tokens, tools, existing deliverables and both ways to fix it", () => {
  const made = { ...emptyDraft, lists: fullDraft().lists };
  const dangling = danglingPlaceholders(
    "{{artifact:table:t}} {{artifact:graph:g}} {{artifact:chart:}}",
    made,
  );
  expect(repairPrompt(dangling, made)).toBe(
    [
      "Your message holds placeholders that have no deliverable:",
      "- {{artifact:table:t}}: make it with create_table, or leave it out",
      "- {{artifact:graph:g}}: no such kind; the kinds are file, chart, table, list, checklist, svg",
      "- {{artifact:chart:}}: it names no id",
      "These exist and may be used: {{artifact:list:steps}}",
      "For each placeholder above, either call the tool with exactly that id, or leave the placeholder out. Then write the whole message again.",
    ].join("\n"),
  );
});

test("the repair prompt offers all six chart tools", () => {
  const prompt = repairPrompt(danglingPlaceholders("{{artifact:chart:c}}", emptyDraft), emptyDraft);
  expect(prompt).toContain(
    "make it with create_pie_chart or create_bar_chart or create_stacked_bar_chart or create_line_chart or create_area_chart or create_scatter_chart",
  );
  expect(prompt).toContain("Nothing has been made so far.");
});
