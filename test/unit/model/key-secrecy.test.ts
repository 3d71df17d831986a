import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../lib/core/secret.ts";
import {
  apiError,
  ended,
  html,
  json,
  startResponsesServer,
  stored,
  stream,
  type Answer,
} from "../../support/responses-server.ts";
import { adapter, never, request, thrownBy } from "./support.ts";

/** Keys as other providers and gateways give them: nothing in them says that they are one. */
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

const answers: readonly (readonly [string, (words: string, key: string) => readonly Answer[]])[] = [
  ["a 400", (words) => [apiError(400, { message: words, type: "invalid_request_error" })]],
  ["a 403", (words) => [apiError(403, { message: words }), apiError(403, { message: words })]],
  [
    "a 400 whose code and request id hold it too",
    (words, key) => [apiError(400, { message: words, code: key }, { "x-request-id": key })],
  ],
  ["a bare detail", (words) => [json(400, { detail: words })]],
  [
    "an error in a stream",
    (words) => [stream({ type: "error", error: { message: words, code: "strange" } })],
  ],
  ["a failed response", (words) => [stream(ended("failed", { error: { code: "strange", message: words } }))]],
  [
    "an incomplete response",
    (words) => [stream(ended("incomplete", { incomplete_details: { reason: words } }))],
  ],
  [
    "a refusal",
    (words) => [
      stream(
        ended("completed", { output: [{ type: "message", content: [{ type: "refusal", refusal: words }] }] }),
      ),
    ],
  ],
  ["a page", () => [html(400)]],
];

/** No five characters of the key in a row, its beginning apart: a prefix is the provider's. */
const shows = (shown: string, key: string): readonly string[] =>
  Array.from({ length: key.length - 9 }, (_, at) => key.slice(at + 5, at + 10)).filter((part) =>
    shown.includes(part),
  );

describe.each(keys)("the key %s", (key) => {
  const apiKey = { get: async () => new Secret(key), refresh: async () => new Secret(key) };
  const everything = (error: unknown): string =>
    inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error);

  it("is not shown in an error, in whatever form it comes back", async () => {
    const shown: string[] = [];
    for (const [where, answer] of answers) {
      for (const [how, words] of echoes(key)) {
        await using server = await startResponsesServer(answer(words, key));
        const { model } = adapter(server.baseUrl, { apiKey });
        const error = await thrownBy(model.generate(request, { signal: never }));
        expect(error.code).toMatch(/^model_/);
        if (shows(everything(error), key).length > 0) shown.push(`${where}: ${how}`);
      }
    }
    expect(shown).toEqual([]);
  });

  it("is not shown when a response in the background has failed", async () => {
    const failed = { error: { code: "strange", message: `The key ${key} may not.` } };
    await using server = await startResponsesServer([stored("queued"), stored("failed", failed)]);
    const { model } = adapter(server.baseUrl, { apiKey, mode: "background" });
    const error = await thrownBy(model.generate(request, { signal: never }));
    expect(error.message).toContain("The key [redacted] may not.");
    expect(shows(everything(error), key)).toEqual([]);
  });
});
