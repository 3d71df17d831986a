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
  ["Dispatcher", 0, 60, undefined],
  ["Processor", 0, 300, "PoolDefaultRecoveryRunnerFunction.Arn"],
  ["Recovery", 2, 600, "PoolDefaultRecoveryDeadLetters.Arn"],
])(
  "an event of the %s is retried %i times within %i s, and then goes to %s",
  (part, retries, ageSeconds, to) => {
    const { Properties } = stack.resource("AWS::Lambda::EventInvokeConfig", part);
    expect(Properties).toMatchObject({ MaximumRetryAttempts: retries, MaximumEventAgeInSeconds: ageSeconds });
    expect(Properties["DestinationConfig"]).toEqual(to && { OnFailure: { Destination: to } });
  },
);

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

it("functions have no reserved concurrency, and keep Lambda's recursive loop detection", () => {
  for (const { Properties } of parts.map(functionOf))
    for (const name of ["ReservedConcurrentExecutions", "RecursiveLoop"])
      expect(Properties).not.toHaveProperty(name);
});
