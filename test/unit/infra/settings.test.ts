import { App, Stack } from "aws-cdk-lib";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import { describe, expect, it } from "vitest";
import { parseSettings } from "../../../infra/settings.ts";
import { RunnerError } from "../../../lib/core/errors.ts";
import { modelPrices } from "../../../infra/dated-table.ts";
import { accepted, problems, refused } from "./settings-cases.ts";
import { temporaryFolder } from "./temporary-folder.ts";

describe("parseSettings", () => {
  it("fills in every default", () => {
    expect(parseSettings({})).toEqual({
      stackName: "StudioRunner",
      studio: {
        baseUrl: "https://cloud.xenonflare.com",
        signInUrl: "https://securetoken.googleapis.com",
      },
      inference: {
        provider: "openai",
        model: "gpt-6-luna",
        summaryModel: "gpt-6-luna",
        mode: "auto",
        store: true,
      },
      spend: {
        prices: modelPrices,
        pricesAsOf: "2026-10-04",
        tiers: { flex: 0.5, priority: 2 },
        webSearchUsd: 0.01,
      },
      pools: [
        {
          name: "default",
          kind: "user",
          polling: "balanced",
          concurrency: 10,
          runLimitMinutes: 60,
          processor: { memoryMb: 256, timeoutSeconds: 900 },
          dispatcher: { memoryMb: 150, timeoutSeconds: 75 },
        },
      ],
      encryption: {},
      iam: {},
      endpoints: { fips: false, dualStack: false },
      logRetentionDays: 30,
      logClass: "standard",
      logLevel: "info",
      removalPolicy: "retain",
      monitoring: {
        level: "full",
        thresholds: { noGoodPollCycles: 5, leaseLeftPercent: 50, runTimePercent: 80, dispatcherErrors: 3 },
        failurePercent: 20,
        tracing: "off",
        previewCharacters: 0,
      },
      tags: {},
    });
  });

  it("uses the chosen model for summaries unless a summary model is given", () => {
    expect(parseSettings({ inference: { model: "m-1" } }).inference.summaryModel).toBe("m-1");
    const given = parseSettings({ inference: { model: "m-1", summaryModel: "m-2" } });
    expect(given.inference.summaryModel).toBe("m-2");
  });

  it("returns its own output unchanged", () => {
    const settings = parseSettings({ tags: { team: "a" }, logLevel: "debug" });
    expect(parseSettings(settings)).toEqual(settings);
  });
});

describe("settings are rejected:", () => {
  it.each(refused)("%s", (words, input) => {
    expect(problems(input)).toEqual([expect.stringContaining(words)]);
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

  it("two pools of the same name, and names that differ only in hyphens", () => {
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

  it("all problems in one error, broken relations included", () => {
    const input = {
      stackname: "x",
      logLevel: "loud",
      pools: [{ name: "a", kind: "user", poling: "fast", processor: { timeoutSeconds: 30 } }],
    };
    expect(() => parseSettings(input)).toThrow(
      new RunnerError(
        "config_invalid",
        `the settings "studio-runner" have 4 problems:
  - pools[0].poling: unknown setting (given a text of length 4). Did you mean "polling"?
  - logLevel: given "loud". Give one of: trace, debug, info, warn, error, fatal.
  - stackname: unknown setting (given a text of length 1). Did you mean "stackName"?
  - pools[0].processor.timeoutSeconds: is 30, but timing.attemptReserveMs keeps 20 s of it free and an attempt needs 60 s to work. Give 80 or more.`,
      ),
    );
  });
});

it("the inference mode cannot be background with store false, which is reported along with other problems", () => {
  expect(problems({ inference: { mode: "background", store: false, modle: "m-1" } })).toEqual([
    'inference.modle: unknown setting (given a text of length 3). Did you mean "mode"?',
    'inference.mode: is "background", which keeps responses at the provider, but inference.store is false. Give "auto" or "streaming", or set inference.store to true.',
  ]);
});

it.each(accepted)("settings are accepted: %j", (settings) => {
  expect(problems(settings)).toEqual([]);
});

it("inference.keySecretArn may be the ARN of a secret in the same app", () => {
  const secret = new CfnSecret(new Stack(new App({ outdir: temporaryFolder() }), "Other"), "Secret");
  expect(problems({ inference: { keySecretArn: secret.ref } })).toEqual([]);
});
