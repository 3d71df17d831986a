import { expect, it } from "vitest";
import {
  parseDispatcherConfig,
  parseProcessorConfig,
  parseRecoveryConfig,
} from "../../../lib/core/config.ts";
import { synthesizeUnbundled, type Resource } from "./synthesized.ts";

const stack = synthesizeUnbundled({});
const functionOf = (part: string): Resource => stack.resource("AWS::Lambda::Function", part);
const parts = ["Dispatcher", "Processor", "Recovery"];

it.each([
  ["Dispatcher", 150, 75],
  ["Processor", 256, 900],
  ["Recovery", 256, 60],
] as const)(
  "the %s runs on Node 24 and arm64, with its own JSON log group",
  (part, memoryMb, timeoutSeconds) => {
    const { Code, Environment: _, Description, ...rest } = functionOf(part).Properties;
    expect(rest).toEqual({
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "index.handler",
      MemorySize: memoryMb,
      Timeout: timeoutSeconds,
      Role: `PoolDefault${part}RunnerRole.Arn`,
      LoggingConfig: {
        LogFormat: "JSON",
        LogGroup: `PoolDefault${part}RunnerLog`,
        ApplicationLogLevel: "INFO",
        SystemLogLevel: "INFO",
      },
    });
    expect(Code).toHaveProperty("S3Key");
    expect(Description).toContain("pool default");
  },
);

it.each([
  ["a dispatcher's event is never retried, and expires after 60 seconds", "Dispatcher", 0, 60, undefined],
  [
    "an attempt's event is never retried by Lambda, and a failure goes to recovery",
    "Processor",
    0,
    300,
    "PoolDefaultRecoveryRunnerFunction.Arn",
  ],
  [
    "a recovery's event is retried twice within ten minutes, and then becomes a dead letter",
    "Recovery",
    2,
    600,
    "PoolDefaultRecoveryDeadLetters.Arn",
  ],
])("%s", (_, part, retries, ageSeconds, destination) => {
  expect(stack.resource("AWS::Lambda::EventInvokeConfig", part).Properties).toEqual({
    FunctionName: `PoolDefault${part}RunnerFunction`,
    Qualifier: "$LATEST",
    MaximumRetryAttempts: retries,
    MaximumEventAgeInSeconds: ageSeconds,
    ...(destination && { DestinationConfig: { OnFailure: { Destination: destination } } }),
  });
});

const common = {
  RUNNER_RUN_LIMIT_MS: "3600000",
  RUNNER_POOL: "default",
  RUNNER_API_BASE: "https://cloud.xenonflare.com",
  RUNNER_RUN_STORE_TABLE: "RunStoreTable",
  RUNNER_KEY_SECRET: "PoolDefaultKeysSecret",
  NODE_OPTIONS: "--max-semi-space-size=2",
  MALLOC_ARENA_MAX: "1",
};

it.each([
  {
    part: "Dispatcher",
    parse: parseDispatcherConfig,
    own: {
      RUNNER_POLLING: "balanced",
      RUNNER_CONCURRENCY: "10",
      RUNNER_PROCESSOR_FUNCTION: "PoolDefaultProcessorRunnerFunction",
      RUNNER_MAX_EVENT_AGE_MS: "300000",
      NODE_OPTIONS: "--max-semi-space-size=2 --max-old-space-size=48",
    },
  },
  {
    part: "Processor",
    parse: parseProcessorConfig,
    own: {
      RUNNER_PRICES:
        '{"models":{"gpt-6-luna":{"inputPerMillionUsd":0.1,"cachedInputPerMillionUsd":0.01,"outputPerMillionUsd":0.5}},"tiers":{"flex":0.5,"priority":2},"webSearchUsd":0.01}',
      OPENAI_KEY_SECRET: "ModelKeySecret",
      OPENAI_MODEL: "gpt-6-luna",
      OPENAI_SUMMARY_MODEL: "gpt-6-luna",
      OPENAI_MODE: "auto",
      OPENAI_PROMPT_CACHE_KEY: "studio-runner-default",
      OPENAI_STORE: "true",
    },
  },
  {
    part: "Recovery",
    parse: parseRecoveryConfig,
    own: { RUNNER_PROCESSOR_FUNCTION: "PoolDefaultProcessorRunnerFunction" },
  },
])("the $part gets its settings as environment variables that its config accepts", ({ part, parse, own }) => {
  const variables = stack.variables(part);
  expect(variables).toEqual({ ...common, ...own });
  expect(parse(variables).RUNNER_POOL).toBe("default");
});

it("the processor gets the preview length from the settings", () => {
  const asked = synthesizeUnbundled({ monitoring: { previewCharacters: 80 } });
  expect(parseProcessorConfig(asked.variables("Processor")).RUNNER_PREVIEW_CHARACTERS).toBe(80);
});

it("functions have no fixed name or reserved concurrency, and keep Lambda's recursive loop detection", () => {
  for (const { Properties } of parts.map(functionOf))
    for (const name of ["FunctionName", "ReservedConcurrentExecutions", "RecursiveLoop"])
      expect(Properties).not.toHaveProperty(name);
});
