import { expect, test } from "vitest";
import { topicOf } from "../../../local/model/topic.ts";

const ours =
  "# Workspace title\n\nCello\n\n# Earlier in this workspace\n\nOld words.\n\n# The request\n\nNew words. More.";
const publicRunner =
  "Title: Cello\n\n---\n\n### Earlier context (may be summarized)\n\nOld words.\n\n---\n\n### Recent user messages\n\nNew words. More.";

test.each([
  ["this project's runner", ours],
  ["the public runner", publicRunner],
  ["the public runner for a legacy idea", "Title: Cello\n\n---\n\nNew words. More."],
])("topicOf finds title and request in the input of %s", (_, input) => {
  expect(topicOf(input)).toEqual({ text: "New words. More.", subject: "Cello", quote: "New words. More." });
});

test("topicOf keeps horizontal rules and headings of the user's text", () => {
  const text = "# My plan\n\nFirst.\n\n---\n\nSecond. title: none";

  expect(topicOf(text)).toEqual({
    text,
    subject: "My plan First.",
    quote: "My plan First. --- Second. title: none",
  });
});

test("topicOf never cuts within a character", () => {
  const { subject, quote } = topicOf(`a${"😀".repeat(150)}`);

  expect(subject).toBe(`a${"😀".repeat(29)}…`);
  expect(quote).toBe(`a${"😀".repeat(99)}…`);
});

test("topicOf removes characters that no XML document may contain", () => {
  const { subject, quote } = topicOf(
    "# Workspace title\n\nBell\u0007s\n\n# The request\n\nA\u0000B\u001b[31m\uffff\ud800C",
  );

  expect(subject).toBe("Bell s");
  expect(quote).toBe("A B 31m C");
});
