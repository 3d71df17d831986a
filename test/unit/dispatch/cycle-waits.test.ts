import { expect, test } from "vitest";
import { pollingTimes } from "../../../lib/dispatch/polling.ts";
import { runCycle } from "../../../lib/dispatch/cycle.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { build, fails, settings, time } from "./cycle-world.ts";

test.each([
  [429, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]],
  [503, [0, 500, 1_500, 3_500, 7_500, 15_500, 30_500, 45_500]],
])(
  "a cycle whose polls are all answered with %i and Retry-After: 0 polls ever more seldom",
  async (status, expected) => {
    const clock = createFakeClock();
    const polledAtMs: number[] = [];
    const world = build({
      clock,
      lease: async () => {
        polledAtMs.push(clock.now());
        if (polledAtMs.length > 200) return undefined;
        throw new RunnerError("studio_unavailable", "busy", { retryable: true, status, retryAfterMs: 0 });
      },
    });
    const cycle = runCycle(world.deps, { ...settings, polling: pollingTimes.fast }, time).catch(
      () => undefined,
    );
    await clock.advance(60_000);
    await cycle;
    expect(polledAtMs).toEqual(expected);
  },
);

test.each([
  ["0", 0, ["studio until 500", "studio until 1500", "studio until 3500"]],
  ["an epoch time", 1_784_000_000_000, ["studio until 180000"]],
])(
  "the next cycles know of a 429 with Retry-After: %s, within its bounds",
  async (_, retryAfterMs, expected) => {
    const clock = createFakeClock();
    const error = new RunnerError("studio_unavailable", "429", {
      retryable: true,
      status: 429,
      retryAfterMs,
    });
    const world = build({ clock, lease: fails(error) });
    const cycle = runCycle(
      world.deps,
      { ...settings, polling: pollingTimes.fast },
      { ...time, remainingMs: 18_000 },
    );
    await clock.advance(60_000);
    expect(await cycle).toMatchObject({ reason: "rate_limited", leased: 0 });
    expect(world.heldBack).toEqual(expected);
  },
);
