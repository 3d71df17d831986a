import { expect, test } from "vitest";
import { says, scriptedModel } from "../../support/scripted-model.ts";
import { never, request, thrownBy } from "./support.ts";

test("the scripted model fails on a call beyond its script", async () => {
  const model = scriptedModel(says("One."));
  await model.generate(request, never);
  expect((await thrownBy(model.generate(request, never))).message).toBe("unexpected model call 2");
});

test("the scripted model fails on unused steps", () => {
  expect(() => scriptedModel(says("One.")).assertDone()).toThrow(/model calls/);
});
