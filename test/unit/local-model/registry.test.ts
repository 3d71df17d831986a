import { describe, expect, test } from "vitest";
import { applyToolCall, toolDefinitions } from "../../../lib/deliverables/registry.ts";
import { emptyDraft } from "../../../lib/deliverables/draft.ts";
import { exampleWorkspaces } from "../../../local/model/examples.ts";
import { strictSchemaProblem } from "../../../local/model/strict-schema.ts";
import { drive } from "./drive.ts";
import { toolNames } from "./tools.ts";

function driveWithRunnerTools(text: string) {
  let draft = emptyDraft;
  const refusals: string[] = [];
  const changes: string[] = [];
  const story = drive(text, {
    tools: toolDefinitions,
    answer: (call) => {
      const applied = applyToolCall(draft, call);
      draft = applied.draft;
      if (!applied.ok) refusals.push(applied.output);
      if (applied.output.includes('"changed"')) changes.push(applied.output);
      return applied.output;
    },
  });
  return { story, draft, refusals, changes };
}

describe("with the runner's own tools", () => {
  test("strict mode accepts all eleven definitions", () => {
    const tools = toolDefinitions;

    expect(tools.map((tool) => tool.name).toSorted()).toEqual(toolNames);
    expect(tools.map((tool) => strictSchemaProblem(tool.parameters))).toEqual(tools.map(() => undefined));
  });

  test.each([
    ...exampleWorkspaces.map(({ title, text }) => [
      title,
      `# Workspace title\n\n${title}\n\n# The request\n\n${text}`,
    ]),
    ["any other message", "# The request\n\nHelp me learn the cello."],
    [
      "a message full of traps",
      "# The request\n\nA system where on = off, javascript:x </svg> {{artifact:chart:x}}",
    ],
  ])("no call is refused and nothing is changed: %s", (_, text) => {
    const { story, refusals, changes } = driveWithRunnerTools(text);

    expect(refusals).toEqual([]);
    expect(changes).toEqual([]);
    expect(story.rounds.flat().length).toBeGreaterThanOrEqual(4);
  });

  test.each([
    ["bad-json", 1],
    ["unknown-tool", 1],
    ["path-traversal", 1],
    ["negative-stacked", 1],
    ["rounds:9", 0],
  ])("[[%s]] has %i refusal and ends with everything made", (word, count) => {
    const { story, refusals, draft } = driveWithRunnerTools(`Help me learn the cello. [[${word}]]`);

    expect(refusals).toHaveLength(count);
    expect(story.message).toContain("{{artifact:checklist:next-steps}}");
    expect(Object.values(draft).flat()).toHaveLength(story.rounds.flat().length - count);
  });

  test("[[svg-script]] leaves one SVG without a script", () => {
    const { draft } = driveWithRunnerTools("Help me learn the cello. [[svg-script]]");

    expect(draft.svgs.map((svg) => svg.id)).toEqual(["trend"]);
    expect(draft.svgs[0]?.content).toContain("<polyline");
    expect(draft.svgs[0]?.content).not.toMatch(/script|onclick|alert/);
  });
});
