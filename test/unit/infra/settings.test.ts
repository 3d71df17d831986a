import { App, Stack } from "aws-cdk-lib";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../infra/settings.ts";
import { RunnerError } from "../../../lib/errors.ts";

/** The lines of the error, without its head. */
function problems(input: unknown): readonly string[] {
  try {
    parseSettings(input);
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error;
    expect(error.code).toBe("config_invalid");
    return error.message
      .split("\n")
      .slice(1)
      .map((text) => text.replace(/^ {2}- /, ""));
  }
  return [];
}

const pool = (fields: Readonly<Record<string, unknown>>) => ({
  pools: [{ name: "default", kind: "user", ...fields }],
});

describe("defaults", () => {
  it("fills in every default", () => {
    expect(parseSettings({})).toEqual({
      stackName: "StudioRunner",
      studio: { baseUrl: "https://cloud.xenonflare.com" },
      inference: { model: "gpt-6-luna", summaryModel: "gpt-6-luna", store: true },
      pools: [
        {
          name: "default",
          kind: "user",
          pickup: "balanced",
          concurrency: 10,
          processor: { memoryMb: 512, timeoutSeconds: 900 },
          dispatcher: { memoryMb: 256, timeoutSeconds: 75 },
        },
      ],
      logRetentionDays: 30,
      logLevel: "info",
      removalPolicy: "retain",
      tags: {},
    });
  });

  it("summarizes with the chosen model unless a summary model is given", () => {
    expect(parseSettings({ inference: { model: "m-1" } }).inference.summaryModel).toBe("m-1");
    expect(parseSettings({ inference: { model: "m-1", summaryModel: "m-2" } }).inference.summaryModel).toBe(
      "m-2",
    );
  });

  it("takes its own output again unchanged", () => {
    const settings = parseSettings({ tags: { team: "a" }, logLevel: "debug" });
    expect(parseSettings(settings)).toEqual(settings);
  });
});

describe("what is refused, with a sentence that says what to do", () => {
  it.each<readonly [what: string, input: unknown, line: string]>([
    ["missing settings", undefined, "(settings): missing. Give an object."],
    ["a text in place of the settings", "hello", '(settings): given "hello". Give an object.'],
    [
      "an unknown setting",
      { zebra: 1 },
      "zebra: unknown setting (given 1). Known here: stackName, studio, inference, pools, ledgerTableArn, logRetentionDays, logLevel, removalPolicy, tags.",
    ],
    [
      "a slip in a setting's name",
      pool({ concurency: 3 }),
      'pools[0].concurency: unknown setting (given 3). Did you mean "concurrency"?',
    ],
    [
      "a slip two levels down",
      pool({ processor: { memoryMB: 512 } }),
      'pools[0].processor.memoryMB: unknown setting (given 512). Did you mean "memoryMb"?',
    ],
    [
      "a value under an unknown name, without showing its text",
      { inference: { apiKey: "hunter2" } },
      "inference.apiKey: unknown setting (given a text of length 7). Known here: model, summaryModel, baseUrl, store, keySecretArn.",
    ],
    ["a blank", { inference: { model: "  " } }, 'inference.model: given "  ". Give a model\'s name.'],
    ["an empty text", { inference: { model: "" } }, 'inference.model: given "". Give a model\'s name.'],
    [
      "a missing name",
      { pools: [{ kind: "user" }] },
      "pools[0].name: missing. Give a name of 1 to 20 lower-case letters, digits and hyphens, like europe-2.",
    ],
    [
      "a name that is not kebab case",
      pool({ name: "My_Pool" }),
      'pools[0].name: given "My_Pool". Give a name of 1 to 20 lower-case letters, digits and hyphens, like europe-2.',
    ],
    [
      "a name of 21 characters",
      pool({ name: "abcdefghijklmnopqrstu" }),
      'pools[0].name: given "abcdefghijklmnopqrstu". Give a name of 1 to 20 lower-case letters, digits and hyphens, like europe-2.',
    ],
    ["an unknown kind", pool({ kind: "all" }), 'pools[0].kind: given "all". Give one of: user, global.'],
    [
      "an unknown pickup",
      pool({ pickup: "slow" }),
      'pools[0].pickup: given "slow". Give one of: economy, balanced, fast.',
    ],
    [
      "no concurrency",
      pool({ concurrency: 0 }),
      "pools[0].concurrency: given 0. Give a whole number from 1 to 1000 (runs at once).",
    ],
    [
      "a number as text",
      pool({ concurrency: "10" }),
      'pools[0].concurrency: given "10". Give a whole number from 1 to 1000 (runs at once).',
    ],
    [
      "half a lease",
      pool({ leasesPerKey: 1.5 }),
      "pools[0].leasesPerKey: given 1.5. Give a whole number from 1 to 1000 (leases per runner key).",
    ],
    [
      "too little memory",
      pool({ dispatcher: { memoryMb: 64 } }),
      "pools[0].dispatcher.memoryMb: given 64. Give a whole number from 128 to 10240 (MB).",
    ],
    [
      "a time-out that Lambda does not allow",
      pool({ processor: { timeoutSeconds: 901 } }),
      "pools[0].processor.timeoutSeconds: given 901. Give a whole number from 1 to 900 (seconds; Lambda allows no more).",
    ],
    ["no pool", { pools: [] }, "pools: given a list. Give at least one pool."],
    ["a pool that is no object", { pools: [4] }, "pools[0]: given 4. Give an object."],
    [
      "a retention that CloudWatch does not know",
      { logRetentionDays: 8 },
      "logRetentionDays: given 8. Give one of: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 (days).",
    ],
    [
      "logs kept for ever",
      { logRetentionDays: 9999 },
      "logRetentionDays: given 9999. Give one of: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653 (days).",
    ],
    [
      "an unknown log level",
      { logLevel: "verbose" },
      'logLevel: given "verbose". Give one of: trace, debug, info, warn, error, fatal.',
    ],
    [
      "an unknown removal policy",
      { removalPolicy: "snapshot" },
      'removalPolicy: given "snapshot". Give one of: destroy, retain.',
    ],
    [
      "a store that is no boolean",
      { inference: { store: "no" } },
      'inference.store: given "no". Give true or false.',
    ],
    [
      "a stack name with a space",
      { stackName: "my stack" },
      'stackName: given "my stack". Give a CloudFormation stack name: letters, digits and hyphens, a letter first.',
    ],
    [
      "a tag without a text",
      { tags: { team: "" } },
      'tags.team: given "". Give a text of 1 to 256 characters.',
    ],
    [
      "a tag name that AWS reserves",
      { tags: { "aws:team": "a" } },
      "tags: given an object. Give tag names of 1 to 128 characters that do not begin with aws:.",
    ],
    [
      "half a secret ARN",
      pool({ keySecretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys" }),
      'pools[0].keySecretArn: given "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys". Give the secret\'s whole ARN, with its six last characters: arn:aws:secretsmanager:<region>:<account>:secret:<name>-AbCdEf.',
    ],
    [
      "a table's name in place of its ARN",
      { ledgerTableArn: "ledger" },
      'ledgerTableArn: given "ledger". Give the table\'s whole ARN: arn:aws:dynamodb:<region>:<account>:table/<name>.',
    ],
  ])("%s", (_, input, line) => {
    expect(problems(input)).toEqual([line]);
  });

  it.each([
    "https://cloud.xenonflare.com/",
    "http://cloud.xenonflare.com",
    "https://cloud.xenonflare.com?x=1",
    "https://cloud.xenonflare.com#x",
    "https://someone@cloud.xenonflare.com",
    "cloud.xenonflare.com",
    "ftp://cloud.xenonflare.com",
  ])("the base address %s", (baseUrl) => {
    expect(problems({ studio: { baseUrl } })).toEqual([
      `studio.baseUrl: given "${baseUrl}". Give an https:// address without query, user or trailing slash (http:// only for this machine).`,
    ]);
  });

  it("two pools of one name, and names that differ in hyphens only", () => {
    const pools = [
      { name: "a1", kind: "user" },
      { name: "a1", kind: "global" },
      { name: "a-1", kind: "user" },
    ];
    expect(problems({ pools })).toEqual([
      'pools[1].name: pools[0].name is "a1" too. Give each pool a name of its own.',
      'pools[2].name: "a-1" differs from pools[0].name ("a1") in hyphens only. Give a more distinct name.',
    ]);
  });
});

describe("all problems at once", () => {
  it("counts them and names each, broken relations beside unknown settings", () => {
    const input = {
      stackname: "x",
      logLevel: "loud",
      pools: [{ name: "a", kind: "user", pikup: "fast", processor: { timeoutSeconds: 30 } }],
    };
    expect(() => parseSettings(input)).toThrow(
      new RunnerError(
        "config_invalid",
        `the settings "studio-runner" have 4 problems:
  - pools[0].pikup: unknown setting (given a text of length 4). Did you mean "pickup"?
  - logLevel: given "loud". Give one of: trace, debug, info, warn, error, fatal.
  - stackname: unknown setting (given a text of length 1). Did you mean "stackName"?
  - pools[0].processor.timeoutSeconds: processor.timeoutSeconds is 30, but timing.legReserveMs keeps 20 s of it free and a leg needs 60 s to work. Give 80 or more.`,
      ),
    );
  });
});

describe("secrets", () => {
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

  it.each(
    places.flatMap(([path, at]) => secrets.map(([what, value]) => [what, path, at(value), value] as const)),
  )("refuses %s as %s without showing it", (what, path, input, value) => {
    const lines = problems(input);
    expect(lines).toEqual([
      `${path}: looks like ${what} (not shown). Keys never go into settings, they would end up in the template: leave it out, and put the key into Secrets Manager with the command that the deploy prints.`,
    ]);
    expect(lines.join("\n")).not.toContain(value);
  });

  it("refuses a secret under an unknown name, and as a name", () => {
    expect(problems({ openaiApiKey: "sk-Ab12Cd34Ef56", "sk-Gh78Ij90Kl12": true })).toEqual([
      "openaiApiKey: looks like an OpenAI key (not shown). Keys never go into settings, they would end up in the template: leave it out, and put the key into Secrets Manager with the command that the deploy prints.",
      "(not shown): looks like an OpenAI key (not shown). Keys never go into settings, they would end up in the template: leave it out, and put the key into Secrets Manager with the command that the deploy prints.",
    ]);
  });

  it("does not show a long opaque text of an unknown make", () => {
    expect(problems({ stackName: "0123456789abcdef0123456789abcdef" })).toEqual([
      "stackName: given a text of length 32. Give a CloudFormation stack name: letters, digits and hyphens, a letter first.",
    ]);
  });

  it("takes ordinary values that have dots, hyphens and digits", () => {
    const input = {
      inference: { model: "gpt-5.6-luna" },
      studio: { baseUrl: "https://studio-2.eu-central-1.internal-company.example" },
      tags: { commit: "c1411664f0c6f1d4a385dd66a4b2a1b9f4d3e2c1", host: "task-force-1.example.com" },
    };
    expect(problems(input)).toEqual([]);
  });
});

describe("references within a CDK app", () => {
  it("takes the ARN of a secret in the same app", () => {
    const secret = new CfnSecret(new Stack(new App(), "Other"), "Secret");
    expect(problems({ inference: { keySecretArn: secret.ref } })).toEqual([]);
  });

  it("takes an address of this machine without TLS", () => {
    expect(problems({ studio: { baseUrl: "http://127.0.0.1:8080" } })).toEqual([]);
  });
});
