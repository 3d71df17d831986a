import { expect, test } from "vitest";
import { topicOf } from "../../../local/model/topic.ts";

const ours =
  "# Workspace title\n\nCello\n\n# Earlier in this workspace\n\nOld words.\n\n# The request\n\nNew words. More.";
const publicRunner =
  "Title: Cello\n\n---\n\n### Earlier context (may be summarized)\n\nOld words.\n\n---\n\n### Recent user messages\n\nNew words. More.";

test.each([
  ["this project's runner", ours],
  ["the public runner", publicRunner],
  ["the public runner for an idea", "Title: Cello\n\n---\n\nNew words. More."],
])("reads title and request from the input of %s", (_, input) => {
  expect(topicOf(input)).toEqual({ text: "New words. More.", subject: "Cello", quote: "New words. More." });
});

test("takes the first sentence for the subject where there is no title", () => {
  expect(topicOf("# The request\n\nNew words. More.").subject).toBe("New words.");
});

test("keeps the rules and headings of a person's own text", () => {
  const text = "# My plan\n\nFirst.\n\n---\n\nSecond. title: none";

  expect(topicOf(text)).toEqual({
    text,
    subject: "My plan First.",
    quote: "My plan First. --- Second. title: none",
  });
});

test("cuts without leaving half a character", () => {
  const { subject, quote } = topicOf(`a${"😀".repeat(150)}`);

  expect(subject).toBe(`a${"😀".repeat(29)}…`);
  expect(quote).toBe(`a${"😀".repeat(99)}…`);
});
