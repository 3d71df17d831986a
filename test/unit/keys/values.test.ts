import { inspect } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RunnerError } from "../../../lib/core/errors.ts";
import { parseModelKey, parseRunnerKeys } from "../../../lib/keys/secrets.ts";

const keysOf = (text: string): readonly (readonly [string, string])[] =>
  parseRunnerKeys(text, "studio/keys").map((key) => [key.id, key.value.reveal()] as const);

function problemOf(parse: () => unknown): RunnerError {
  const outcome = attempt(parse);
  if (outcome instanceof RunnerError) return outcome;
  throw new Error("nothing was refused");
}

/** Whatever could be shown of the keys, or of the error in their place. */
function outcomeOf(parse: () => unknown): string {
  return inspect(attempt(parse), { depth: 10 });
}

function attempt(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    return error;
  }
}

const malformedKeys: readonly (readonly [string, string])[] = [
  ["", "is empty"],
  [" \n", "is empty"],
  ["nodot", "is not of the form credentialId.secret, with one dot"],
  ["two.dots.here", "is not of the form credentialId.secret, with one dot"],
  [".abc", "is not of the form credentialId.secret, with one dot"],
  ["cred-1.", "is not of the form credentialId.secret, with one dot"],
  ["cred-1.ab c", "has white space inside"],
  ["cred-1.abc\ncred-2.def", "has white space inside"],
  ["cred-1.abé", "has a character that a key cannot have"],
  ['"cred-1.abc"', "is wrapped in quotes; store it without them"],
  ["RUNNER_TOKEN=cred-1.abc", "is a NAME=value line; store the value alone"],
  ["Bearer cred-1.abc", 'starts with "Bearer"; store the key alone'],
  ["REPLACE_ME", "is a placeholder; store the real key"],
  ["cred-1.REPLACE_ME", "is a placeholder; store the real key"],
  ["<id>.<secret>", "is a placeholder; store the real key"],
  ["credentialId.secret", "is a placeholder; store the real key"],
  ["{{RUNNER_TOKEN}}", "is a placeholder; store the real key"],
  ["[", "starts like JSON, but is not"],
  ['{"keys":["cred-1.abc"', "starts like JSON, but is not"],
  ["[]", "holds an empty list of runner keys"],
  ['{"keys":[]}', "holds an empty list of runner keys"],
  [
    '{"RUNNER_TOKEN":"cred-1.abc"}',
    'holds JSON, but not a list of texts, ["id.secret", …], or an object { "keys": ["id.secret", …] }',
  ],
  ["[1]", 'holds JSON, but not a list of texts, ["id.secret", …], or an object { "keys": ["id.secret", …] }'],
  ['["cred-1.abc","nodot"]', "entry 2 of 2 is not of the form credentialId.secret, with one dot"],
  ['["cred-1.abc","cred-1.def"]', "entry 2 of 2 has the same credential id as entry 1"],
  ['["","x y.z","cred-1.abc"]', "entry 1 of 3 is empty; entry 2 of 3 has white space inside"],
];

describe("parseRunnerKeys", () => {
  it.each([
    ["one key", "cred-1.abc", [["cred-1", "cred-1.abc"]]],
    ["one key with white space around", "\n  cred-1.abc \r\n", [["cred-1", "cred-1.abc"]]],
    [
      "a list",
      '["cred-1.abc", " cred-2.def\\n"]',
      [
        ["cred-1", "cred-1.abc"],
        ["cred-2", "cred-2.def"],
      ],
    ],
    ["an object with keys", '{"keys":["cred-1.abc"],"note":"x"}', [["cred-1", "cred-1.abc"]]],
    ["characters of base64 and hex", "a_b-c/9.D+/e=_-", [["a_b-c/9", "a_b-c/9.D+/e=_-"]]],
  ])("takes %s", (_, text, expected) => {
    expect(keysOf(text)).toEqual(expected);
  });

  it.each(malformedKeys)("refuses %j, saying how it is wrong", (text, problem) => {
    const error = problemOf(() => parseRunnerKeys(text, "studio/keys"));
    expect(error.code).toBe("secret_malformed");
    expect(error.message).toBe(`the secret "studio/keys" ${problem}`);
  });

  it("never shows a value or a part of one, whatever is stored", () => {
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
  it.each(["sk-proj-abc_DEF-123", "offline", "dummy", "a.b.c", "sk-test"])("takes %j", (key) => {
    expect(parseModelKey(`${key}\n`, "openai/key").reveal()).toBe(key);
  });

  it.each([
    ["", "is empty"],
    ["changeme", "is a placeholder; store the real key"],
    ["CHANGE-ME", "is a placeholder; store the real key"],
    ["<your key>", "is a placeholder; store the real key"],
    ["sk-...", "is a placeholder; store the real key"],
    ["sk-…", "is a placeholder; store the real key"],
    ["sk-xxxxxxxx", "is a placeholder; store the real key"],
    ["your-api-key", "is a placeholder; store the real key"],
    ["YOUR_OPENAI_API_KEY_HERE", "is a placeholder; store the real key"],
    ["${OPENAI_API_KEY}", "is a placeholder; store the real key"],
    ["OPENAI_API_KEY=sk-abc", "is a NAME=value line; store the value alone"],
    ["'sk-abc'", "is wrapped in quotes; store it without them"],
    ['{"key":"sk-abc"}', "is JSON; store the key alone as plain text"],
    ["sk-abc def", "has white space inside"],
    ["sk-abc\u200b", "has a character that a key cannot have"],
  ])("refuses %j", (text, problem) => {
    const error = problemOf(() => parseModelKey(text, "openai/key"));
    expect(error.code).toBe("secret_malformed");
    expect(error.message).toBe(`the secret "openai/key" ${problem}`);
  });
});
