import { expect, test } from "vitest";
import { crossedRounds } from "../../chaos/rounds.ts";

const attempt = { runId: "run-1", attempt: 1, environment: "a", fromMs: 1_000, toMs: 9_000, isBroken: false };
const asked = { caller: "a", method: "POST", path: "/v1/responses", at: 2_000 };
const write = { runId: "run-1", attempt: 1, state: "running", caller: "a", atMs: 1_500 };

test("a round counts as crossed when the run's next attempt was created before its id was noted", () => {
  const restart = { ...write, attempt: 2, state: "leased", caller: "b", atMs: 2_100 };
  const seen = { requests: [asked], writes: [write, restart] };

  expect(crossedRounds(seen, [attempt])).toBe(1);
});

test("a round counts as crossed when another process finished the run before its id was noted", () => {
  const close = { ...write, state: "lost", caller: "b", atMs: 2_100 };

  expect(crossedRounds({ requests: [asked], writes: [write, close] }, [attempt])).toBe(1);
});

test.each([
  [
    "its id was noted",
    [
      { ...write, atMs: 2_050 },
      { ...write, attempt: 2, caller: "b", atMs: 2_100 },
    ],
  ],
  ["the attempt finished the run itself", [{ ...write, state: "failed", atMs: 2_100 }]],
  [
    "another run passed to another process",
    [{ ...write, runId: "run-2", attempt: 2, caller: "b", atMs: 2_100 }],
  ],
  [
    "the next attempt was created before it was asked for",
    [{ ...write, attempt: 2, caller: "b", atMs: 1_900 }],
  ],
])("a round does not count as crossed when %s", (_, writes) => {
  expect(crossedRounds({ requests: [asked], writes: [write, ...writes] }, [attempt])).toBe(0);
});
