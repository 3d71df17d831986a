import { expect, test } from "vitest";
import { says, scriptedModel } from "../../support/scripted-model.ts";
import { never, request, thrownBy } from "./support.ts";

test("the scripted model fails on a call beyond its script", async () => {
  const model = scriptedModel(says("One."));
  await model.generate(request, { signal: never });
  expect((await thrownBy(model.generate(request, { signal: never }))).message).toBe(
    "unexpected model call 2",
  );
});

test("the scripted model fails on unused steps", () => {
  expect(() => scriptedModel(says("One.")).assertDone()).toThrow(/model calls/);
});

test("the scripted model keeps what it was asked to store, and nothing else", async () => {
  const model = scriptedModel(says("One.", "r1"), says("Two.", "r2"));
  await model.generate(request, { signal: never });
  await model.generate({ ...request, store: false }, { signal: never });
  expect(await model.follow("r1", never)).toEqual(says("One.", "r1"));
  expect(await thrownBy(model.retrieve("r2", never))).toMatchObject({
    code: "model_previous_response_missing",
  });
  expect(model.looks).toEqual(["follow r1", "retrieve r2"]);
});
