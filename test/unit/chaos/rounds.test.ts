import { expect, test } from "vitest";
import { crossedRounds } from "../../chaos/rounds.ts";

const attempt = { runId: "run-1", leg: 1, environment: "a", fromMs: 1_000, toMs: 9_000, isBroken: false };
const asked = { caller: "a", method: "POST", path: "/v1/responses", at: 2_000 };
const write = { runId: "run-1", leg: 1, state: "running", caller: "a", atMs: 1_500 };

test("a round counts as crossed where the run's next leg began before its id was noted", () => {
  const restart = { ...write, leg: 2, state: "leased", caller: "b", atMs: 2_100 };
  const seen = { requests: [asked], writes: [write, restart] };

  expect(crossedRounds(seen, [attempt])).toBe(1);
});

test("a round counts as crossed where another process closed the run before its id was noted", () => {
  const close = { ...write, state: "lost", caller: "b", atMs: 2_100 };

  expect(crossedRounds({ requests: [asked], writes: [write, close] }, [attempt])).toBe(1);
});

test.each([
  [
    "its id was noted",
    [
      { ...write, atMs: 2_050 },
      { ...write, leg: 2, caller: "b", atMs: 2_100 },
    ],
  ],
  ["the attempt closed the run itself", [{ ...write, state: "failed", atMs: 2_100 }]],
  ["another run passed into another hand", [{ ...write, runId: "run-2", leg: 2, caller: "b", atMs: 2_100 }]],
  ["the next leg had begun before it was asked for", [{ ...write, leg: 2, caller: "b", atMs: 1_900 }]],
])("a round does not count as crossed where %s", (_, writes) => {
  expect(crossedRounds({ requests: [asked], writes: [write, ...writes] }, [attempt])).toBe(0);
});
