import { expect, test } from "vitest";
import type { Conversation } from "../../../local/model/conversation.ts";
import { jobKinds, markedFor, textOf, watchAsked } from "../../chaos/jobs.ts";

const tools = [{ name: "create_table", parameters: null }];
const ask = (text: string): Conversation => ({ tools, items: [{ type: "user", text }] });
const declined = jobKinds.find(({ name }) => name === "declined")!;

test("each answer says whose it is: the newest message's, although earlier ones stand before it", () => {
  const asked = watchAsked();
  const earlier = textOf({ tag: "case-7", kind: declined });
  const text = `# Earlier in this workspace\n\n${earlier}\n\n# The request\n\n${textOf({ tag: "case-7b", kind: jobKinds[0]! })}`;
  const turn = asked.script(ask(text));
  expect(markedFor(JSON.stringify(turn))).toEqual(new Set(["case-7b"]));
  expect(asked.of("case-7b")).toEqual(new Map([["round 1, repair 0", 1]]));
  expect(asked.of("case-7")).toEqual(new Map());
});

test("a refusal says it too", () => {
  const turn = watchAsked().script(ask(textOf({ tag: "case-3", kind: declined })));
  expect(turn.parts).toEqual([{ type: "refusal", refusal: "I can't help with that request. [for case-3]" }]);
});
