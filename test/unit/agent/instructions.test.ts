import { expect, test } from "vitest";
import { toolDefinitions } from "../../../lib/deliverables/registry.ts";
import { jobInstructions } from "../../../lib/agent/instructions.ts";
import { keepHead, keepTail } from "../../../lib/core/text.ts";

test("the instructions name every tool, the placeholder kinds and the limits", () => {
  const text = jobInstructions({ tools: toolDefinitions });
  for (const { name } of toolDefinitions) expect(text).toContain(name);
  expect(text).toContain("{{artifact:KIND:ID}}");
  expect(text).toMatch(/KIND is one of (?=.*chart)(?=.*table)(?=.*file)(?=.*svg)(?=.*checklist)/);
  expect(text).toContain("24 rounds in all");
  expect(text).toContain("at most 24000 characters");
  expect(text).toContain("language of the person's newest message");
});

test("the owner's instructions come last, and hosted tools are explained when they are enabled", () => {
  const ours = jobInstructions({ tools: toolDefinitions });
  expect(ours).not.toContain("search the web");
  expect(ours).not.toContain("owner");
  const own = "  Write British English.\nSign as the reports team.  ";
  const text = jobInstructions({ tools: toolDefinitions, hostedTools: ["web_search"], own });
  expect(text.startsWith(ours)).toBe(true);
  expect(text).toContain("You can search the web.");
  expect(text.endsWith("Write British English.\nSign as the reports team.")).toBe(true);
});

test.for([
  ["abc", 3, "abc", "abc"],
  ["abcd", 3, "abc", "bcd"],
  ["a😀b", 2, "a", "b"],
  ["a😀b", 3, "a😀", "😀b"],
] as const)("%j cut to %i keeps whole characters", ([text, max, head, tail]) => {
  expect(keepHead(text, max)).toBe(head);
  expect(keepTail(text, max)).toBe(tail);
});
