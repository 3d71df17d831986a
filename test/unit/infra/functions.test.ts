import { expect, it } from "vitest";
import * as z from "zod";
import {
  parseDispatcherConfig,
  parseProcessorConfig,
  parseRecoveryConfig,
} from "../../../lib/core/config.ts";
import { defaultStack } from "./default-stack.ts";
import { arnOf, ref, synthesizeUnbundled, type Resource } from "./synthesized.ts";

const { stack, table, modelKey, runnerKeys, dispatcher, processor, recovery, deadLetters, logOf, roleOf } =
  defaultStack();

const environmentSchema = z.object({ Variables: z.record(z.string(), z.unknown()) });

/** As CloudFormation would set it. */
function resolved(fn: Resource): Record<string, string> {
  const { Variables } = environmentSchema.parse(fn.Properties["Environment"]);
  const variables = Object.entries(Variables);
  return Object.fromEntries(
    variables.map(([name, value]) => [name, typeof value === "string" ? value : "resolved"]),
  );
}

const scarce = "--max-semi-space-size=2 --max-old-space-size=48";
const roomy = "--max-semi-space-size=2";

it.each([
  { part: "Dispatcher", fn: dispatcher, memoryMb: 150, timeoutSeconds: 75 },
  { part: "Processor", fn: processor, memoryMb: 256, timeoutSeconds: 900 },
  { part: "Recovery", fn: recovery, memoryMb: 256, timeoutSeconds: 60 },
])(
  "the $part runs on Node 24, arm64, with a log of its own in JSON",
  ({ part, fn, memoryMb, timeoutSeconds }) => {
    const { Code, Environment: _, Description, ...rest } = fn.Properties;
    expect(rest).toEqual({
      Runtime: "nodejs24.x",
      Architectures: ["arm64"],
      Handler: "index.handler",
      MemorySize: memoryMb,
      Timeout: timeoutSeconds,
      Role: arnOf(roleOf(part)),
      LoggingConfig: {
        LogFormat: "JSON",
        LogGroup: ref(logOf(part)),
        ApplicationLogLevel: "INFO",
        SystemLogLevel: "INFO",
      },
    });
    expect(Code).toHaveProperty("S3Key");
    expect(Description).toContain("pool default");
  },
);

it.each([
  {
    of: "a dispatcher's event is never retried, and dies before the next one comes",
    fn: dispatcher,
    retries: 0,
    ageSeconds: 60,
    then: undefined,
  },
  {
    of: "an attempt's event is never retried by Lambda: its failure goes to recovery",
    fn: processor,
    retries: 0,
    ageSeconds: 300,
    then: recovery,
  },
  {
    of: "a recovery's event is tried three times within one lease, then it becomes a dead letter",
    fn: recovery,
    retries: 2,
    ageSeconds: 600,
    then: deadLetters,
  },
])("$of", ({ fn, retries, ageSeconds, then }) => {
  const rules = stack
    .resources("AWS::Lambda::EventInvokeConfig")
    .find(({ Properties }) => (Properties["FunctionName"] as { Ref: string }).Ref === fn.logicalId);
  expect(rules?.Properties).toEqual({
    FunctionName: ref(fn),
    Qualifier: "$LATEST",
    MaximumRetryAttempts: retries,
    MaximumEventAgeInSeconds: ageSeconds,
    ...(then && { DestinationConfig: { OnFailure: { Destination: arnOf(then) } } }),
  });
});

const common = {
  RUNNER_RUN_LIMIT_MS: "3600000",
  RUNNER_POOL: "default",
  RUNNER_API_BASE: "https://cloud.xenonflare.com",
  RUNNER_RUN_STORE_TABLE: ref(table),
  RUNNER_KEY_SECRET: ref(runnerKeys),
  MALLOC_ARENA_MAX: "1",
};

it.each([
  {
    part: "dispatcher",
    fn: dispatcher,
    own: {
      RUNNER_POLLING: "balanced",
      RUNNER_CONCURRENCY: "10",
      RUNNER_PROCESSOR_FUNCTION: ref(processor),
      RUNNER_MAX_EVENT_AGE_MS: "300000",
      NODE_OPTIONS: scarce,
    },
  },
  {
    part: "processor",
    fn: processor,
    own: {
      RUNNER_PRICES:
        '{"models":{"gpt-6-luna":{"inputPerMillionUsd":0.1,"cachedInputPerMillionUsd":0.01,"outputPerMillionUsd":0.5}},"tiers":{"flex":0.5,"priority":2},"webSearchUsd":0.01}',
      OPENAI_KEY_SECRET: ref(modelKey),
      OPENAI_MODEL: "gpt-6-luna",
      OPENAI_SUMMARY_MODEL: "gpt-6-luna",
      OPENAI_MODE: "auto",
      OPENAI_PROMPT_CACHE_KEY: "studio-runner-default",
      OPENAI_STORE: "true",
      NODE_OPTIONS: roomy,
    },
  },
  {
    part: "recovery",
    fn: recovery,
    own: { RUNNER_PROCESSOR_FUNCTION: ref(processor), NODE_OPTIONS: roomy },
  },
])("the $part gets its settings by environment", ({ fn, own }) => {
  expect(fn.Properties["Environment"]).toEqual({ Variables: { ...common, ...own } });
});

it("the environments are what the functions accept", () => {
  expect(parseDispatcherConfig(resolved(dispatcher)).RUNNER_CONCURRENCY).toBe(10);
  expect(parseProcessorConfig(resolved(processor)).OPENAI_STORE).toBe(true);
  expect(parseRecoveryConfig(resolved(recovery)).RUNNER_POOL).toBe("default");
});

it("a preview of jobs reaches the processor only where a setting asks for it", () => {
  const asked = synthesizeUnbundled({ monitoring: { previewCharacters: 80 } });
  const variables = resolved(asked.resource("AWS::Lambda::Function", "Processor"));
  expect(parseProcessorConfig(variables).RUNNER_PREVIEW_CHARACTERS).toBe(80);
  expect(parseProcessorConfig(resolved(processor)).RUNNER_PREVIEW_CHARACTERS).toBeUndefined();
});

it("functions have no fixed name and no reserved concurrency, and may not call themselves in circles", () => {
  for (const { Properties } of [dispatcher, processor, recovery])
    for (const name of ["FunctionName", "ReservedConcurrentExecutions", "RecursiveLoop"])
      expect(Properties).not.toHaveProperty(name);
});
