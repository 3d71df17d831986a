import { expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { calls, says, scriptedModel } from "../../support/scripted-model.ts";
import { list, loop, startOf, teas } from "./loop-support.ts";
import { thrownBy } from "../model/support.ts";

const toolRounds = (count: number) =>
  Array.from({ length: count }, (_, index) => calls(`r${index + 1}`, ["create_list", teas]));

test("24 tool rounds are allowed", async () => {
  const model = scriptedModel(...toolRounds(24), says("{{artifact:list:teas}}"));
  expect((await loop(model)).rounds).toBe(25);
  model.assertDone();
});

test("a 25th tool round stops the job with a readable reason", async () => {
  const model = scriptedModel(...toolRounds(25));
  expect(await thrownBy(loop(model))).toMatchObject({
    code: "tool_rounds_exceeded",
    message: "the model was still calling tools after 24 rounds, so the job was stopped",
    retryable: false,
  });
  model.assertDone();
});

test("tool rounds in repairs count towards the limit", async () => {
  const model = scriptedModel(
    ...toolRounds(23),
    says("{{artifact:list:none}}"),
    calls("r24", ["create_list", list("a")]),
    calls("r25", ["create_list", list("b")]),
  );
  expect(await thrownBy(loop(model))).toMatchObject({ code: "tool_rounds_exceeded" });
  model.assertDone();
});

test("tool rounds of earlier attempts count towards the limit", async () => {
  const next = { kind: "ask", previousResponseId: "r24", input: [] } as const;
  const from = startOf({ rounds: 24, toolRounds: 24, next });
  const model = scriptedModel(calls("r25", ["create_list", teas]));
  expect(await thrownBy(loop(model, { from }))).toMatchObject({ code: "tool_rounds_exceeded" });
});

test("a placeholder without its deliverable is repaired on the same chain by a tool call", async () => {
  const model = scriptedModel(
    says("See {{artifact:list:teas}}.", "r1"),
    calls("r2", ["create_list", teas]),
    says("See {{artifact:list:teas}}.", "r3"),
  );
  const { message, draft, rounds } = await loop(model);
  expect(message).toBe("See {{artifact:list:teas}}.");
  expect(draft.lists).toHaveLength(1);
  expect(rounds).toBe(3);
  const [, repair] = model.requests;
  expect(repair).toMatchObject({ previousResponseId: "r1", input: [{ type: "message" }] });
  expect(repair!.tools).toHaveLength(11);
  expect(JSON.stringify(repair!.input)).toContain("{{artifact:list:teas}}");
});

test("a placeholder without its deliverable is repaired by a message without it", async () => {
  const model = scriptedModel(says("See {{artifact:chart:none}}."), says("Green."));
  expect((await loop(model)).message).toBe("Green.");
});

test("the job fails after four repair rounds, with a message that names the placeholders", async () => {
  const stubborn = says("{{artifact:chart:sales}} and {{artifact:file:notes.md}}");
  const model = scriptedModel(stubborn, stubborn, stubborn, stubborn, stubborn);
  const error = await thrownBy(loop(model));
  expect(error.code).toBe("deliverable_placeholder_mismatch");
  expect(error.message).toContain("{{artifact:chart:sales}}");
  expect(error.message).toContain("{{artifact:file:notes.md}}");
  model.assertDone();
});

test("a message of 24,000 characters is delivered", async () => {
  expect((await loop(scriptedModel(says("x".repeat(24_000))))).message).toHaveLength(24_000);
});

test("a message of more than 24,000 characters is sent back to be shortened", async () => {
  const model = scriptedModel(says("x".repeat(24_001), "r1"), says("Short."));
  expect((await loop(model)).message).toBe("Short.");
  expect(model.requests[1]).toMatchObject({ previousResponseId: "r1" });
  expect(JSON.stringify(model.requests[1]!.input)).toContain(
    "Your message has 24001 characters; at most 24000 are allowed.",
  );
});

test("a message that stays too long fails the job", async () => {
  const model = scriptedModel(says("x".repeat(24_001)), says("y".repeat(24_002)));
  expect(await thrownBy(loop(model))).toMatchObject({
    code: "assistant_message_too_long",
    message: "the model's message has 24002 characters, Studio takes at most 24000",
  });
  model.assertDone();
});

test("shortening is one of the four repair rounds", async () => {
  const stubborn = says("{{artifact:chart:sales}}");
  const model = scriptedModel(says("x".repeat(24_001)), stubborn, stubborn, stubborn, stubborn);
  expect(await thrownBy(loop(model))).toMatchObject({ code: "deliverable_placeholder_mismatch" });
  model.assertDone();
});

const empty = new RunnerError("model_empty", "the model answered with neither text nor a tool call");

test("an empty answer without deliverables fails the job", async () => {
  expect(await thrownBy(loop(scriptedModel(empty)))).toBe(empty);
});

test("an empty answer after deliverables delivers them with the text that came with the calls", async () => {
  const making = { ...calls("r1", ["create_list", teas]), text: "Here are the teas." };
  const { message, draft } = await loop(scriptedModel(making, empty));
  expect(message).toBe("Here are the teas.");
  expect(draft.lists).toHaveLength(1);
});

test("an empty answer does not hide a placeholder that needs repair", async () => {
  const making = { ...calls("r1", ["create_list", teas]), text: "See {{artifact:list:coffees}}." };
  const model = scriptedModel(making, empty, says("See {{artifact:list:teas}}.", "r2"));
  expect((await loop(model)).message).toBe("See {{artifact:list:teas}}.");
  expect(model.requests[2]).toMatchObject({
    previousResponseId: "r1",
    input: [{ type: "tool_output", callId: "r1-1" }, { type: "message" }],
  });
});

test("a repair prompt is not duplicated when the model's answer is empty again", async () => {
  const making = { ...calls("r1", ["create_list", teas]), text: "See {{artifact:list:coffees}}." };
  const model = scriptedModel(making, empty, empty, says("See {{artifact:list:teas}}.", "r2"));
  expect((await loop(model)).message).toBe("See {{artifact:list:teas}}.");
  expect(model.requests[3]?.input).toMatchObject([
    { type: "tool_output", callId: "r1-1" },
    { type: "message" },
  ]);
});
