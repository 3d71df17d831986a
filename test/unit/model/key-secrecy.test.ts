import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../lib/core/secret.ts";
import { apiError, completed, ended, stored, stream } from "../../support/model-replies.ts";
import type { Reply } from "../../support/http-server.ts";
import { fixture } from "./support.ts";

/** Keys of other providers and gateways, without a prefix that marks them as keys. */
const keys = ["gsk0PqLm83TzWvYxRnBcKd", "team-7.Zk19vQmx22LpRt", "0f9c1d7e5b3a48627d90"];

const echoes = (key: string): readonly (readonly [string, string])[] => [
  ["whole", `The key ${key} may not use this model.`],
  ["in an address", `See https://example.com/?key=${key}&x=1`],
  ["without its end", `The key ${key.slice(0, -4)}... may not use this model.`],
  [
    "with stars in the middle",
    `The key ${key.slice(0, 5)}************${key.slice(-4)} may not use this model.`,
  ],
  ["behind its first dot", `The key ${key.slice(key.indexOf(".") + 1)} may not use this model.`],
];

const answers: Readonly<Record<string, (words: string, key: string) => Reply>> = {
  "a 400": (message) => apiError(400, { message, type: "invalid_request_error" }),
  "a 403": (message) => apiError(403, { message }),
  "a 400 with it in code and request id": (message, key) =>
    apiError(400, { message, code: key }, { "x-request-id": key }),
  "a bare detail": (detail) => ({ status: 400, body: { detail } }),
  "an error in a stream": (message) => stream({ type: "error", error: { message, code: "strange" } }),
  "a failed response": (message) => stream(ended("failed", { error: { code: "strange", message } })),
  "an incomplete response": (reason) => stream(ended("incomplete", { incomplete_details: { reason } })),
  "a refusal": (refusal) => stream(completed({ type: "message", content: [{ type: "refusal", refusal }] })),
};

/** Parts of five characters of the key that are shown, except in its prefix, which is the provider's. */
const shows = (shown: string, key: string): readonly string[] =>
  Array.from({ length: key.length - 9 }, (_, at) => key.slice(at + 5, at + 10)).filter((part) =>
    shown.includes(part),
  );

describe.each(keys)("the key %s", (key) => {
  const apiKey = { get: async () => new Secret(key), refresh: async () => new Secret(key) };
  const everything = (error: unknown): string =>
    inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error);

  it("does not appear in an error, in whatever form the provider echoes it", async () => {
    const shown: string[] = [];
    for (const [where, answerWith] of Object.entries(answers)) {
      for (const [how, words] of echoes(key)) {
        const answer = answerWith(words, key);
        const { failure } = await fixture([answer, answer], { apiKey });
        const error = await failure();
        expect(error.code).toMatch(/^model_/);
        if (shows(everything(error), key).length > 0) shown.push(`${where}: ${how}`);
      }
    }
    expect(shown).toEqual([]);
  });

  it("does not appear in the error of a failed background response", async () => {
    const failed = { error: { code: "strange", message: `The key ${key} may not.` } };
    const { failure } = await fixture([stored("queued"), stored("failed", failed)], {
      apiKey,
      mode: "background",
    });
    const error = await failure();
    expect(error.message).toContain("The key [redacted] may not.");
    expect(shows(everything(error), key)).toEqual([]);
  });
});
