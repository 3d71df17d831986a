import { expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { build, fails, tooManyRequests } from "./cycle-world.ts";

test.each([
  [429, [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]],
  [503, [0, 500, 1_500, 3_500, 7_500, 15_500, 30_500, 45_500]],
])(
  "a cycle whose polls are all answered with %i and Retry-After: 0 polls at growing intervals",
  async (status, times) => {
    const clock = createFakeClock();
    const polledAtMs: number[] = [];
    const lease = async () => {
      polledAtMs.push(clock.now());
      throw new RunnerError("studio_unavailable", "busy", { retryable: true, status, retryAfterMs: 0 });
    };
    await build({ clock, lease })
      .cycle({ mode: "fast" })
      .catch(() => undefined);
    await clock.advance(60_000);
    expect(polledAtMs).toEqual(times);
  },
);

test.each([
  ["0", 0, ["studio until 500", "studio until 1500", "studio until 3500"]],
  ["90 s", 90_000, ["studio until 90000"]],
  ["an epoch time", 1_784_000_000_000, ["studio until 180000"]],
])(
  "a 429 with Retry-After: %s extends the pool's back-off for the next cycles, within its bounds",
  async (_, retryAfterMs, expected) => {
    const { cycle, heldBack } = build({ lease: fails(tooManyRequests(retryAfterMs)) });
    const summary = await cycle({ mode: "fast", remainingMs: 18_000 });
    expect(summary).toMatchObject({ reason: "rate_limited", leased: 0 });
    expect(heldBack).toEqual(expected);
  },
);
