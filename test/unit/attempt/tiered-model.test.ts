import { describe, expect, test } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import type { Model, ModelRequest } from "../../../lib/model/model.ts";
import type { ServiceTier } from "../../../lib/core/options.ts";
import { inTier } from "../../../lib/attempt/tiered-model.ts";
import { createFakeClock } from "../../support/fake-clock.ts";
import { says, scriptedModel, type Step } from "../../support/scripted-model.ts";
import { recordingLog, recordingMetrics } from "../../support/silent.ts";

const noCapacity = new RunnerError("model_no_capacity", "no capacity", { status: 429 });
const request: ModelRequest = { model: "m", instructions: "i", input: [], tools: [], store: false };

function attempt(serviceTier: ServiceTier | undefined, ...steps: readonly Step[]) {
  const clock = createFakeClock(0);
  const log = recordingLog();
  const metrics = recordingMetrics();
  const model = scriptedModel(...steps);
  const tiered: Model = inTier(model, {
    clock,
    random: () => 0.999_999,
    log,
    metrics,
    pool: "p",
    serviceTier,
  });
  const tiers = () => model.requests.map(({ options }) => options?.serviceTier);
  const generate = (signal = new AbortController().signal) => tiered.generate(request, { signal });
  return { clock, log, emitted: metrics.emitted, tiers, generate };
}

describe("a model with a service tier", () => {
  test("is asked in the tier from the settings, or in none", async () => {
    const flex = attempt("flex", says("Done."));
    await flex.generate();
    expect(flex.tiers()).toEqual(["flex"]);
    const none = attempt(undefined, says("Done."));
    await none.generate();
    expect(none.tiers()).toEqual([undefined]);
  });

  test("is asked again after a pause when the tier has no capacity", async () => {
    const { clock, generate, tiers, emitted } = attempt("flex", noCapacity, noCapacity, says("Done."));
    const done = generate();
    await clock.advance(4_999);
    expect(tiers()).toHaveLength(1);
    await clock.advance(1);
    expect(tiers()).toHaveLength(2);
    await clock.advance(10_000);
    expect((await done).text).toBe("Done.");
    expect(tiers()).toEqual(["flex", "flex", "flex"]);
    expect(emitted).toEqual([]);
  });

  test("falls back to the tier auto for the rest of the attempt after two minutes without capacity, logged and counted", async () => {
    const refusals = Array.from({ length: 6 }, () => noCapacity);
    const { clock, log, generate, tiers, emitted } = attempt("flex", ...refusals, says("One."), says("Two."));
    const first = generate();
    await clock.advance(119_999);
    expect(tiers()).toHaveLength(5); // at 0, 5, 15, 35 and 75 s
    await clock.advance(1);
    expect((await first).text).toBe("One.");
    expect((await generate()).text).toBe("Two.");
    expect(tiers()).toEqual([...Array<string>(6).fill("flex"), "auto", "auto"]);
    expect(emitted).toEqual(["TierFallbacks{pool=p} 1"]);
    expect(log.lines.filter(({ event }) => event === "tier_fallback")).toMatchObject([
      { fields: { tier: "flex", reason: "model_no_capacity" } },
    ]);
  });

  test("stops waiting when its attempt ends", async () => {
    const { clock, generate } = attempt("flex", noCapacity);
    const over = new AbortController();
    const done = generate(over.signal).catch((error: unknown) => error);
    await clock.advance(1_000);
    over.abort("the attempt is over");
    expect(await done).toBe("the attempt is over");
  });

  test("throws every other error unchanged, and a lack of room in the tier priority at once", async () => {
    const refused = new RunnerError("model_refused", "no");
    await expect(attempt("flex", refused).generate()).rejects.toBe(refused);
    await expect(attempt("priority", noCapacity).generate()).rejects.toBe(noCapacity);
  });
});
