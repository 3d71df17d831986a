import { expect, test } from "vitest";
import { buildInput, modelInput } from "../../../lib/agent/input.ts";
import { noUsage } from "../../../lib/model/model.ts";
import { says, scriptedModel } from "../../support/scripted-model.ts";
import { context, summaryPorts } from "./context-support.ts";
import { never, thrownBy } from "../model/support.ts";

const inputOf = async (overrides: Parameters<typeof context>[0], model = scriptedModel()) =>
  await buildInput(context(overrides), summaryPorts(model).ports, never);

test.each([
  [
    "title, earlier context and recent text come in this order",
    { title: "Teas", earlier: "We like green.", recentText: "Compare two.\n" },
    "# Workspace title\n\nTeas\n\n# Earlier in this workspace\n\nWe like green.\n\n# The request\n\nCompare two.",
  ],
  [
    "blank parts get no section",
    { title: null, earlier: " ", recentText: "Compare two." },
    "# The request\n\nCompare two.",
  ],
])("%s", (_, parts, input) => {
  expect(modelInput(parts)).toBe(input);
});

test("a workspace without messages is described by its title and idea", async () => {
  const given = { messageCount: 0, title: "Teas", legacyIdea: "A tea shop", recentText: "" };
  const input = "# Workspace title\n\nTeas\n\n# The request\n\nA tea shop";
  expect(await inputOf(given)).toEqual({ input, usage: noUsage, summarized: "idea" });
});

test.for([null, "", " \n"])(
  "an empty workspace with the idea %j fails as empty_context",
  async (legacyIdea) => {
    const error = await thrownBy(inputOf({ messageCount: 0, title: "Teas", legacyIdea }));
    expect(error).toMatchObject({
      code: "empty_context",
      message: "the workspace holds nothing to work on: no message and no idea",
    });
  },
);

test("messages without any text fail as empty_context", async () => {
  const error = await thrownBy(inputOf({ messageCount: 1, recentText: " ", priorTextVerbatim: "" }));
  expect(error.code).toBe("empty_context");
});

test("short earlier history is included verbatim, and the idea is left out", async () => {
  const result = await inputOf({ priorTextVerbatim: "We like green.", legacyIdea: "A tea shop" });
  expect(result).toMatchObject({ summarized: "verbatim" });
  expect(result.input).toContain("# Earlier in this workspace\n\nWe like green.\n\n");
  expect(result.input).not.toContain("A tea shop");
});

test("a fresh summary is included, and its usage is returned", async () => {
  const model = scriptedModel(says("They like green."));
  const result = await inputOf({ priorTextVerbatim: "Long story.", priorNeedsSummarization: true }, model);
  expect(result.input).toContain("# Earlier in this workspace\n\nThey like green.\n\n");
  expect(result).toMatchObject({ summarized: "fresh", usage: { inputTokens: 100 } });
});
