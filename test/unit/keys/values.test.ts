import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseModelKey, parseRunnerKeys } from "../../../lib/keys/secrets.ts";

const keysOf = (text: string): readonly (readonly [string, string])[] =>
  parseRunnerKeys(text, "studio/keys").map((key) => [key.id, key.value.reveal()] as const);

const refused = (problem: string) =>
  expect.objectContaining({ name: "RunnerError", code: "secret_malformed", message: problem }) as unknown;

/** Everything that could be printed of the keys, or of the error in their place. */
function outcomeOf(parse: () => unknown): string {
  try {
    return inspect(parse(), { depth: 10 });
  } catch (error) {
    return inspect(error, { depth: 10 });
  }
}

const oneDot = "is not of the form credentialId.secret, with one dot";
const placeholder = "is a placeholder; store the real key";
const quoted = "is wrapped in quotes; store it without them";
const assignment = "is a NAME=value line; store the value alone";
const otherJson =
  'holds JSON, but not a list of texts, ["id.secret", …], or an object { "keys": ["id.secret", …] }';

const malformedKeys: Readonly<Record<string, readonly string[]>> = {
  "is empty": ["", " \n"],
  [oneDot]: ["nodot", "two.dots.here", ".abc", "cred-1."],
  "has white space inside": ["cred-1.ab c", "cred-1.abc\ncred-2.def"],
  "has a character that a key cannot have": ["cred-1.abé"],
  [quoted]: ['"cred-1.abc"'],
  [assignment]: ["RUNNER_TOKEN=cred-1.abc"],
  'starts with "Bearer"; store the key alone': ["Bearer cred-1.abc"],
  [placeholder]: ["REPLACE_ME", "cred-1.REPLACE_ME", "<id>.<secret>", "credentialId.secret", "{{TOKEN}}"],
  "starts like JSON, but is not": ["[", '{"keys":["cred-1.abc"'],
  "holds an empty list of runner keys": ["[]", '{"keys":[]}'],
  [otherJson]: ['{"RUNNER_TOKEN":"cred-1.abc"}', "[1]"],
  [`entry 2 of 2 ${oneDot}`]: ['["cred-1.abc","nodot"]'],
  "entry 2 of 2 has the same credential id as entry 1": ['["cred-1.abc","cred-1.def"]'],
  "entry 1 of 3 is empty; entry 2 of 3 has white space inside": ['["","x y.z","cred-1.abc"]'],
};
const malformedModelKeys: Readonly<Record<string, readonly string[]>> = {
  "is empty": [""],
  [placeholder]: ["changeme", "CHANGE-ME", "<your key>", "sk-...", "sk-…", "sk-xxxxxxxx"].concat(
    "your-api-key",
    "YOUR_OPENAI_API_KEY_HERE",
    "${OPENAI_API_KEY}",
  ),
  [assignment]: ["OPENAI_API_KEY=sk-abc"],
  [quoted]: ["'sk-abc'"],
  "is JSON; store the key alone as plain text": ['{"key":"sk-abc"}'],
  "has white space inside": ["sk-abc def"],
  "has a character that a key cannot have": ["sk-abc\u200b"],
};
const rowsOf = (table: typeof malformedKeys) =>
  Object.entries(table).flatMap(([problem, texts]) => texts.map((text) => [text, problem] as const));

describe("parseRunnerKeys", () => {
  const [first, second] = [
    ["cred-1", "cred-1.abc"],
    ["cred-2", "cred-2.def"],
  ];

  it.each([
    ["one key", "cred-1.abc", [first]],
    ["one key with white space around", "\n  cred-1.abc \r\n", [first]],
    ["a list", '["cred-1.abc", " cred-2.def\\n"]', [first, second]],
    ["an object with keys", '{"keys":["cred-1.abc"],"note":"x"}', [first]],
    ["characters of base64 and hex", "a_b-c/9.D+/e=_-", [["a_b-c/9", "a_b-c/9.D+/e=_-"]]],
  ])("accepts %s", (_, text, expected) => {
    expect(keysOf(text)).toEqual(expected);
  });

  it.each(rowsOf(malformedKeys))("rejects %j: it %s", (text, problem) => {
    expect(() => parseRunnerKeys(text, "studio/keys")).toThrow(
      refused(`the secret "studio/keys" ${problem}`),
    );
  });

  it("never shows a secret in its result or its error, whatever text is stored", () => {
    const secret = "Zq7secretZq7";
    const wild = fc
      .tuple(fc.string({ unit: "binary", maxLength: 12 }), fc.string({ unit: "binary", maxLength: 12 }))
      .map(([before, after]) => `${before}${secret}${after}`);
    const shapes = [
      (text: string) => text,
      (text: string) => `["${text}", "b.c", "b.c"]`,
      (text: string) => `{"keys": "${text}"}`,
      (text: string) => JSON.stringify([text, text]),
    ];
    fc.assert(
      fc.property(wild, fc.constantFrom(...shapes), (text, shape) => {
        const shown = outcomeOf(() => parseRunnerKeys(shape(text), "studio/keys").map(({ value }) => value));
        expect(shown).not.toContain("Zq7");
      }),
    );
  });
});

describe("parseModelKey", () => {
  it.each(["sk-proj-abc_DEF-123", "offline", "dummy", "a.b.c", "sk-test"])("accepts %j", (key) => {
    expect(parseModelKey(`${key}\n`, "openai/key").reveal()).toBe(key);
  });

  it.each(rowsOf(malformedModelKeys))("rejects %j: it %s", (text, problem) => {
    expect(() => parseModelKey(text, "openai/key")).toThrow(refused(`the secret "openai/key" ${problem}`));
  });
});
