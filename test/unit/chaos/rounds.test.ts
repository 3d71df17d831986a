import { expect, test } from "vitest";
import { crossedRounds } from "../../chaos/rounds.ts";
import { attempt, write } from "./fixture.ts";

const asked = { caller: "p1", method: "POST", path: "/v1/responses", at: 2_000 };
const restart = write(2_100, { attempt: 2, state: "leased", caller: "d1" });

test.each([
  ["when the run's next attempt was created before its id was recorded", [restart], 1],
  [
    "when another process finished the run before its id was recorded",
    [write(2_100, { state: "lost", caller: "d1" })],
    1,
  ],
  ["when only a heartbeat was recorded in between", [write(2_050, { responseId: "resp_1" }), restart], 1],
  ["not when its id was recorded", [write(2_050, { responseId: "resp_2" }), restart], 0],
  ["not when the attempt finished the run itself", [write(2_100, { state: "failed" })], 0],
  ["not when another run passed to another process", [{ ...restart, runId: "run-2" }], 0],
  ["not when the next attempt was created before it was asked for", [{ ...restart, atMs: 1_900 }], 0],
])("a round counts as crossed %s", (_, writes, count) => {
  const seen = { requests: [asked], writes: [write(1_500, { responseId: "resp_1" }), ...writes] };
  expect(crossedRounds(seen, [attempt({ fromMs: 1_000 })])).toBe(count);
});
