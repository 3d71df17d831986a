import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { createSecretCache } from "../../../lib/keys/secrets.ts";
import type { SecretSource } from "../../../lib/adapters/secrets-manager.ts";

/** A cache whose source gives `values` in order, and throws those that are errors. */
function createFixture(...values: readonly (string | Error | Promise<string>)[]) {
  const clock = { nowMs: 0 };
  const reads: string[] = [];
  const stale: RunnerError[] = [];
  const limits: (() => void)[] = [];
  const left = [...values];
  const source: SecretSource = {
    read: async (secretId) => {
      reads.push(secretId);
      const next = left.shift();
      if (next === undefined) throw new Error("read once too often");
      if (next instanceof Error) throw next;
      return next;
    },
  };
  const cache = createSecretCache({
    source,
    clock: {
      now: () => clock.nowMs,
      sleep: (_, signal) =>
        new Promise((resolve, reject) => {
          limits.push(resolve);
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
    },
    secretId: "studio/keys",
    parse: (text, where) => {
      if (text === "bad") throw new RunnerError("secret_malformed", `${where} is bad`);
      return text.toUpperCase();
    },
    onStale: (error) => stale.push(error),
  });
  return { cache, clock, reads, stale, endLimits: () => limits.forEach((end) => end()) };
}

const throttled = new RunnerError("secrets_unavailable", "throttled", { retryable: true });
const forbidden = new RunnerError("secrets_unavailable", "forbidden");
const missing = new RunnerError("secret_missing", "gone");

describe("get without a cached value", () => {
  it("reads once and keeps the parsed value for five minutes", async () => {
    const { cache, clock, reads } = createFixture("one", "two");
    expect(await cache.get()).toBe("ONE");
    clock.nowMs = 299_999;
    expect(await cache.get()).toBe("ONE");
    clock.nowMs = 300_000;
    expect(await cache.get()).toBe("TWO");
    expect(reads).toEqual(["studio/keys", "studio/keys"]);
  });

  it("shares one read among concurrent callers", async () => {
    const { cache, reads } = createFixture("one");
    expect(await Promise.all([cache.get(), cache.get(), cache.refresh()])).toEqual(["ONE", "ONE", "ONE"]);
    expect(reads).toHaveLength(1);
  });

  it.each([throttled, forbidden])(
    "throws the error ($message) and reads again at the next call",
    async (error) => {
      const { cache } = createFixture(error, "one");
      await expect(cache.get()).rejects.toBe(error);
      expect(await cache.get()).toBe("ONE");
    },
  );

  it("fails as retryable when a read takes more than ten seconds", async () => {
    const { cache, endLimits } = createFixture(new Promise<string>(() => undefined));
    const value = cache.get();
    endLimits();
    await expect(value).rejects.toMatchObject({
      code: "secrets_unavailable",
      retryable: true,
      message: 'reading the secret "studio/keys" took longer than 10000 ms',
    });
  });
});

describe("get with an expired value", () => {
  it("returns the last good value while Secrets Manager throttles, and reads again after 30 s", async () => {
    const { cache, clock, reads, stale } = createFixture("one", throttled, "two");
    await cache.get();
    clock.nowMs = 300_000;
    expect(await cache.get()).toBe("ONE");
    clock.nowMs = 329_999;
    expect(await cache.get()).toBe("ONE");
    expect(reads).toHaveLength(2);
    expect(stale).toEqual([throttled]);
    clock.nowMs = 330_000;
    expect(await cache.get()).toBe("TWO");
  });

  it("returns the last good value when the new one is malformed", async () => {
    const { cache, clock, stale } = createFixture("one", "bad");
    await cache.get();
    clock.nowMs = 300_000;
    expect(await cache.get()).toBe("ONE");
    expect(stale).toMatchObject([{ code: "secret_malformed", message: "studio/keys is bad" }]);
  });

  it.each([forbidden, missing, new TypeError("a bug")])(
    "throws when access is denied, the secret is gone or there is a bug ($message)",
    async (error) => {
      const { cache, clock } = createFixture("one", error);
      await cache.get();
      clock.nowMs = 300_000;
      await expect(cache.get()).rejects.toBe(error);
    },
  );
});

describe("refresh", () => {
  it("reads even when the cached value is fresh", async () => {
    const { cache } = createFixture("one", "two");
    await cache.get();
    expect(await cache.refresh()).toBe("TWO");
    expect(await cache.get()).toBe("TWO");
  });

  it("returns the last good value while Secrets Manager throttles", async () => {
    const { cache } = createFixture("one", throttled);
    await cache.get();
    expect(await cache.refresh()).toBe("ONE");
  });

  it.each([
    ["malformed", "bad", "secret_malformed"],
    ["gone", missing, "secret_missing"],
    ["forbidden", forbidden, "secrets_unavailable"],
  ] as const)("throws when the new value is %s, and keeps the old one cached", async (_, value, code) => {
    const { cache } = createFixture("one", value);
    await cache.get();
    await expect(cache.refresh()).rejects.toMatchObject({ code });
    expect(await cache.get()).toBe("ONE");
  });
});

describe("a caller's signal", () => {
  it("ends only that caller's wait, not the shared read", async () => {
    const value = Promise.withResolvers<string>();
    const { cache, reads } = createFixture(value.promise);
    const caller = new AbortController();
    const impatient = cache.get(caller.signal);
    const patient = cache.get(new AbortController().signal);
    const reason = new Error("attempt over");
    caller.abort(reason);
    await expect(impatient).rejects.toBe(reason);
    value.resolve("one");
    expect(await patient).toBe("ONE");
    expect(reads).toHaveLength(1);
  });

  it("prevents the read when it has already aborted", async () => {
    const { cache, reads } = createFixture("one");
    const reason = new Error("attempt over");
    await expect(cache.get(AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(reads).toHaveLength(0);
  });
});
