import { expect, it } from "vitest";
import { slowStart } from "../../../lib/dispatch/slow-start.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import { Secret } from "../../../lib/core/secret.ts";

const key = { id: "cred-1", value: new Secret("cred-1.secret") };
const lease = { workspaceId: "ws-1", leaseExpiresAtMs: 600_000, skewMs: 0 };

/** A queue that counts the lease calls of each batch. */
function queueOf(jobs: number, error?: RunnerError) {
  const batches: number[] = [];
  let asked = 0;
  const ports: Parameters<typeof slowStart>[0] = {
    nextKey: () => key,
    beforeBatch: async () => undefined,
    lease: async () => {
      if (asked === 0) {
        batches.push(0);
        setImmediate(() => (asked = 0));
      }
      asked += 1;
      batches.push((batches.pop() ?? 0) + 1);
      await new Promise((resolve) => setImmediate(resolve));
      jobs -= 1;
      if (jobs >= 0) return lease;
      if (error) throw error;
      return undefined;
    },
    onLeased: () => undefined,
    onNotLeased: () => undefined,
  };
  return { ports, batches };
}

it("slow start doubles its batches, up to the capacity, while every call gets a lease", async () => {
  const { ports, batches } = queueOf(1_000);
  expect(await slowStart(ports, 20)).toEqual({ leased: 20, end: "full", nextWidth: 32 });
  expect(batches).toEqual([1, 2, 4, 8, 5]);
});

it("slow start lets the starting of runs catch up before each batch and at its end", async () => {
  const { ports, batches } = queueOf(1_000);
  const before: number[] = [];
  const beforeBatch = async (): Promise<void> =>
    void before.push(batches.reduce((sum, calls) => sum + calls, 0));
  await slowStart({ ...ports, beforeBatch }, 20);
  expect(before).toEqual([0, 1, 3, 7, 15, 20]);
});

it("slow start resumes with the batch size that a full one ended with", async () => {
  const { ports, batches } = queueOf(1_000);
  const { nextWidth } = await slowStart(ports, 20);
  batches.length = 0;
  expect(await slowStart(ports, 40, nextWidth)).toMatchObject({ leased: 40, end: "full" });
  expect(batches).toEqual([32, 8]);
});

it.each([
  ["an empty answer", undefined],
  ["an error", new RunnerError("studio_unavailable", "not now", { retryable: true })],
])("slow start starts with one call again after %s", async (_, error) => {
  const { ports, batches } = queueOf(5, error);
  expect(await slowStart(ports, 20)).toEqual({ leased: 5, end: error ?? "empty", nextWidth: 1 });
  expect(batches).toEqual([1, 2, 4]);
});
