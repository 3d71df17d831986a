import { expect, it } from "vitest";
import { ramp, type RampDeps } from "../../../lib/dispatch/ramp.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import { Secret } from "../../../lib/core/secret.ts";

const key = { id: "cred-1", value: new Secret("cred-1.secret") };
const lease = { workspaceId: "ws-1", leaseExpiresAtMs: 600_000, skewMs: 0 };

/** Lease calls by the wave in which they were made. */
function queueOf(jobs: number, error?: RunnerError) {
  const waves: number[] = [];
  let asked = 0;
  const deps: RampDeps = {
    nextKey: () => key,
    beforeWave: async () => undefined,
    lease: async () => {
      if (asked === 0) {
        waves.push(0);
        setImmediate(() => (asked = 0));
      }
      asked += 1;
      waves.push((waves.pop() ?? 0) + 1);
      await new Promise((resolve) => setImmediate(resolve));
      jobs -= 1;
      if (jobs >= 0) return lease;
      if (error) throw error;
      return undefined;
    },
    onLeased: () => undefined,
    onNotLeased: () => undefined,
  };
  return { deps, waves };
}

it("doubles its waves while they hit, up to the capacity", async () => {
  const { deps, waves } = queueOf(1_000);
  expect(await ramp(deps, 20)).toEqual({ leased: 20, end: "full", nextWidth: 32 });
  expect(waves).toEqual([1, 2, 4, 8, 5]);
});

it("lets those who start the runs keep up before each wave", async () => {
  const { deps, waves } = queueOf(1_000);
  const before: number[] = [];
  const beforeWave = async (): Promise<void> =>
    void before.push(waves.reduce((sum, calls) => sum + calls, 0));
  await ramp({ ...deps, beforeWave }, 20);
  expect(before).toEqual([0, 1, 3, 7, 15, 20]);
});

it("begins after a full one where that one ended", async () => {
  const { deps, waves } = queueOf(1_000);
  const { nextWidth } = await ramp(deps, 20);
  waves.length = 0;
  expect(await ramp(deps, 40, nextWidth)).toMatchObject({ leased: 40, end: "full" });
  expect(waves).toEqual([32, 8]);
});

it.each([
  ["an empty answer", undefined],
  ["an error", new RunnerError("studio_unavailable", "not now", { retryable: true })],
])("begins after %s with one call again", async (_, error) => {
  const { deps, waves } = queueOf(5, error);
  expect(await ramp(deps, 20)).toEqual({ leased: 5, end: error ?? "empty", nextWidth: 1 });
  expect(waves).toEqual([1, 2, 4]);
});
