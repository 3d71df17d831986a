import { expect, it } from "vitest";
import { pool, problems } from "./settings-cases.ts";

const secrets = [
  ["an OpenAI key", "sk-proj-Ab12Cd34Ef56"],
  ["an OpenAI key", "Bearer sk-Ab12Cd34Ef56"],
  ["a runner key", "Zx81kQ03.9f8e7d6c5b4a39281706f5e4d3c2b1a0"],
  ["a signed token", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.dozjgNryP4J3jVmN"],
  ["an AWS access key", "AKIAIOSFODNN7EXAMPLE"],
  ["a password in a URL", "https://me:hunter2@example.com"],
] as const;
const places: readonly (readonly [path: string, at: (value: string) => unknown])[] = [
  ["inference.model", (value) => ({ inference: { model: value } })],
  ["studio.baseUrl", (value) => ({ studio: { baseUrl: value } })],
  ["pools[0].keySecretArn", (value) => pool({ keySecretArn: value })],
  ["tags.note", (value) => ({ tags: { note: value } })],
];

const refusalOf = (what: string): string =>
  `looks like ${what} (not shown). Keys must not be in settings, because they would end up in the template: leave it out, and store the key in Secrets Manager with the command that the deploy prints.`;

it.each(
  places.flatMap(([path, at]) => secrets.map(([what, value]) => ({ what, path, input: at(value), value }))),
)("parseSettings rejects $what as $path without showing it", ({ what, path, input, value }) => {
  expect(problems(input)).toEqual([`${path}: ${refusalOf(what)}`]);
  expect(problems(input).join("\n")).not.toContain(value);
});

it("parseSettings rejects a secret in an unknown setting, and as the name of one", () => {
  expect(problems({ openaiApiKey: "sk-Ab12Cd34Ef56", "sk-Gh78Ij90Kl12": true })).toEqual([
    `openaiApiKey: ${refusalOf("an OpenAI key")}`,
    `(not shown): ${refusalOf("an OpenAI key")}`,
  ]);
});

it("an error shows only the length of a long opaque text", () => {
  expect(problems({ stackName: "0123456789abcdef0123456789abcdef" })).toEqual([
    "stackName: given a text of length 32. Give a CloudFormation stack name: letters, digits and hyphens, a letter first.",
  ]);
});

it("parseSettings accepts ordinary values with dots, hyphens and digits", () => {
  const input = {
    inference: { model: "gpt-5.6-luna" },
    studio: { baseUrl: "https://studio-2.eu-central-1.internal-company.example" },
    tags: { commit: "c1411664f0c6f1d4a385dd66a4b2a1b9f4d3e2c1", host: "task-force-1.example.com" },
  };
  expect(problems(input)).toEqual([]);
});
