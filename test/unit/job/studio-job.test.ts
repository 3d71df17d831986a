import { expect, test } from "vitest";
import { bindJob, type RunnerKeys } from "../../../lib/job/studio-job.ts";
import { Secret, type RunnerKey } from "../../../lib/secret.ts";
import type { Studio } from "../../../lib/studio/studio.ts";

const keyOf = (id: string): RunnerKey => ({ id, value: new Secret(`${id}.secret`) });

/** A cache that holds `cached` until it is told to read the secret, which holds `stored`. */
function keysOf(cached: readonly string[], stored: readonly string[]) {
  const calls: string[] = [];
  const keys: RunnerKeys = {
    get: async () => {
      calls.push("get");
      return cached.map(keyOf);
    },
    refresh: async () => {
      calls.push("refresh");
      return stored.map(keyOf);
    },
  };
  return { keys, calls };
}

async function beatWith(keys: RunnerKeys): Promise<readonly string[]> {
  const used: string[] = [];
  const studio = {
    heartbeat: async ({ key }: { readonly key: RunnerKey }) => {
      used.push(key.id);
      return { leaseExpiresAtMs: 1 };
    },
  } as unknown as Studio;
  const job = bindJob({ studio, keys }, { workspaceId: "ws_1", keyId: "new" });
  await job.heartbeat(new AbortController().signal);
  await job.heartbeat(new AbortController().signal);
  return used;
}

test("a lease that was taken with a key younger than our cache is kept with that key: the secret is read anew, once", async () => {
  const { keys, calls } = keysOf(["old"], ["new", "old"]);
  expect(await beatWith(keys)).toEqual(["new", "new"]);
  expect(calls).toEqual(["get", "refresh"]);
});

test("a key that the cache has is used without reading the secret", async () => {
  const { keys, calls } = keysOf(["old", "new"], []);
  expect(await beatWith(keys)).toEqual(["new", "new"]);
  expect(calls).toEqual(["get"]);
});

test("in the place of a key that was rotated away another of the pool's keys is used", async () => {
  const { keys } = keysOf(["old"], ["newest"]);
  expect(await beatWith(keys)).toEqual(["newest", "newest"]);
});
