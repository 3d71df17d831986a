import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { createRunnerKeys } from "../../../lib/keys/runner-keys.ts";
import {
  parseRunnerSecret,
  renderRunnerSecret,
  tryParseRunnerSecret,
} from "../../../lib/keys/runner-secret.ts";
import type { RunnerKey } from "../../../lib/core/secret.ts";
import { createFakeClock } from "../../support/fake-clock.ts";

const shown = (keys: readonly RunnerKey[]): readonly string[] => keys.map(({ value }) => value.reveal());
const instance = { instanceId: "i-1", credentialId: "a", createdAtMs: 5 };

describe("a pool's secret", () => {
  it("may contain retired keys and instances besides its keys", () => {
    const text = JSON.stringify({ keys: ["a.1"], retired: ["b.2"], instances: [instance], note: "mine" });
    const { keys, retired, instances } = parseRunnerSecret(text, "keys");
    expect([shown(keys), shown(retired), instances]).toEqual([["a.1"], ["b.2"], [instance]]);
  });

  it.each(["a.1", '["a.1"]', '{"keys":["a.1"]}'])("has only its keys in the form %s", (text) => {
    expect(parseRunnerSecret(text, "keys")).toMatchObject({ retired: [], instances: [] });
  });

  it("yields its valid keys when other entries are malformed", () => {
    const text = '{"keys":["a.1"],"retired":["b.2","nonsense"],"instances":[{"instanceId":7}]}';
    const { keys, retired, instances } = parseRunnerSecret(text, "keys");
    expect([shown(keys), shown(retired), instances]).toEqual([["a.1"], ["b.2"], []]);
  });

  it("is unchanged after it is parsed and rendered", () => {
    const lists = { keys: ["a.1"], retired: ["b.2", "c.3"], instances: [instance] };
    const text = JSON.stringify({ ...lists, unusedSinceMs: { b: 7 }, replaces: "v1" });
    expect(renderRunnerSecret(parseRunnerSecret(text, "keys"))).toBe(text);
  });

  it.each([undefined, "", "no key"])("counts as empty in tryParseRunnerSecret when it is %j", (text) => {
    expect(tryParseRunnerSecret(text, "keys")).toEqual({ keys: [], retired: [], instances: [] });
  });
});

describe("the keys of a pool", () => {
  function fixture({ previous, maxAgeMs }: { previous?: string | Error; maxAgeMs?: number }) {
    const values = { current: '{"keys":["new.1"],"retired":["older.1"]}' };
    const reads: string[] = [];
    const keys = createRunnerKeys({
      clock: createFakeClock(),
      secretId: "keys",
      source: {
        read: async () => {
          reads.push("AWSCURRENT");
          return values.current;
        },
        readStage: async (_id, stage) => {
          reads.push(stage);
          if (previous instanceof Error) throw previous;
          return previous;
        },
      },
      ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    });
    return { keys, reads, values };
  }

  it("are retired when the secret's list or the previous stage, which is not cached, has them", async () => {
    const { keys, reads } = fixture({ previous: '{"keys":["old.1"],"retired":["oldest.1"]}' });
    expect(shown(await keys.get())).toEqual(["new.1"]);
    expect(shown(await keys.retired())).toEqual(["older.1", "old.1", "oldest.1"]);
    await keys.retired();
    expect(reads).toEqual(["AWSCURRENT", "AWSPREVIOUS", "AWSPREVIOUS"]);
  });

  it.each([
    ["there is no previous stage", undefined],
    ["the previous value is malformed", "nonsense"],
    ["the previous value is binary", new RunnerError("secret_malformed", "binary")],
  ])("are retired only by the secret's own list when %s", async (_, previous) => {
    const { keys } = fixture(previous === undefined ? {} : { previous });
    expect(shown(await keys.retired())).toEqual(["older.1"]);
  });

  it("cannot be listed as retired when the previous stage cannot be read", async () => {
    const outage = new RunnerError("secrets_unavailable", "down", { retryable: true });
    await expect(fixture({ previous: outage }).keys.retired()).rejects.toBe(outage);
  });

  it("are read at every call when their maximum age is 0", async () => {
    const { keys, values } = fixture({ maxAgeMs: 0 });
    await keys.get();
    values.current = "newest.1";
    expect(shown(await keys.get())).toEqual(["newest.1"]);
  });
});
