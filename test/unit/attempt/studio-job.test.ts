import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { bindJob } from "../../../lib/attempt/studio-job.ts";
import type { RunnerKeys } from "../../../lib/keys/runner-keys.ts";
import { Secret, type RunnerKey } from "../../../lib/core/secret.ts";
import type { Studio } from "../../../lib/studio/studio.ts";

const keyOf = (text: string): RunnerKey => ({ id: text.split(".")[0]!, value: new Secret(text) });

interface Fixture {
  readonly cached: readonly string[];
  /** What the secret holds now; `cached` by default. */
  readonly stored?: readonly string[];
  readonly retired?: readonly string[];
  /** Keys that Studio refuses. */
  readonly refused?: readonly string[];
}

/** Two heartbeats of a job that was leased with the credential "mine". */
async function heartbeatTwice({ cached, stored = cached, retired = [], refused = [] }: Fixture) {
  const reads: string[] = [];
  const keys: RunnerKeys = {
    get: async () => cached.map(keyOf),
    refresh: async () => {
      reads.push("refresh");
      return stored.map(keyOf);
    },
    retired: async () => {
      reads.push("retired");
      return retired.map(keyOf);
    },
  };
  const used: string[] = [];
  const studio = {
    heartbeat: async ({ key }: { readonly key: RunnerKey }) => {
      used.push(key.value.reveal());
      if (refused.includes(key.value.reveal())) throw new RunnerError("key_refused", "401", { status: 401 });
      return { leaseExpiresAtMs: 1 };
    },
  } as unknown as Studio;
  const job = bindJob({ studio, keys }, { workspaceId: "ws_1", keyId: "mine" });
  const errors: string[] = [];
  for (let heartbeat = 0; heartbeat < 2; heartbeat++) {
    await job.heartbeat(new AbortController().signal).catch((error: RunnerError) => errors.push(error.code));
  }
  return { used, reads, errors };
}

describe("the key of a run", () => {
  it.each([
    ["the one that took the lease, without another read of the secret", { cached: ["old.1", "mine.1"] }, []],
    [
      "read from the secret once when it is newer than the cache",
      { cached: ["old.1"], stored: ["mine.1", "old.1"] },
      ["refresh"],
    ],
    [
      "the one that took the lease, from the previous stage, after a rotation",
      { cached: ["new.1"], retired: ["other.1", "mine.1"] },
      ["refresh", "retired"],
    ],
  ] as const)("is %s", async (_, fixture, reads) => {
    expect(await heartbeatTwice(fixture)).toEqual({ used: ["mine.1", "mine.1"], reads, errors: [] });
  });

  it("is another key of the pool only when the secret holds it in neither stage", async () => {
    const fixture = { cached: ["new.1"], retired: ["other.1"] };
    expect(await heartbeatTwice(fixture)).toMatchObject({ used: ["new.1", "new.1"] });
  });

  it("is reported as missing when the pool has none", async () => {
    expect(await heartbeatTwice({ cached: [] })).toMatchObject({
      errors: ["secret_missing", "secret_missing"],
    });
  });
});

describe("a refused key", () => {
  it("is replaced by the same credential's new secret", async () => {
    const fixture = { cached: ["mine.1"], stored: ["mine.2"], refused: ["mine.1"] };
    expect(await heartbeatTwice(fixture)).toEqual({
      used: ["mine.1", "mine.2", "mine.2"],
      reads: ["refresh", "retired"],
      errors: [],
    });
  });

  it("is replaced by the same credential's secret from the previous stage", async () => {
    const fixture = { cached: ["mine.1"], stored: ["new.1"], retired: ["mine.2"], refused: ["mine.1"] };
    expect(await heartbeatTwice(fixture)).toMatchObject({ used: ["mine.1", "mine.2", "mine.2"] });
  });

  it("is not replaced by another key of the pool, which does not hold the lease, while it is still stored", async () => {
    const fixture = { cached: ["mine.1", "new.1"], refused: ["mine.1"] };
    expect(await heartbeatTwice(fixture)).toMatchObject({
      used: ["mine.1", "mine.1"],
      errors: ["key_refused", "key_refused"],
    });
  });

  it("is replaced by another key of the pool once it is no longer stored", async () => {
    const fixture = { cached: ["mine.1"], stored: ["new.1"], refused: ["mine.1"] };
    expect(await heartbeatTwice(fixture)).toMatchObject({ used: ["mine.1", "new.1", "new.1"], errors: [] });
  });

  it("is reported when there is no other, and the secret is read again each time", async () => {
    const fixture = { cached: ["mine.1"], refused: ["mine.1"] };
    expect(await heartbeatTwice(fixture)).toEqual({
      used: ["mine.1", "mine.1"],
      reads: ["refresh", "retired", "refresh", "retired"],
      errors: ["key_refused", "key_refused"],
    });
  });
});
