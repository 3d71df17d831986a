import { expect, it } from "vitest";
import * as z from "zod";
import { parseDispatcherConfig, parseProcessorConfig } from "../../../lib/config.ts";
import { defaultStack } from "./default-stack.ts";
import { arnOf, ref, type Resource } from "./synthesized.ts";

const { stack, table, modelKey, runnerKeys, dispatcher, processor, failures, logOf, roleOf } = defaultStack();

const environmentSchema = z.object({ Variables: z.record(z.string(), z.unknown()) });

/** As CloudFormation would set it. */
function resolved(fn: Resource): Record<string, string> {
  const { Variables } = environmentSchema.parse(fn.Properties["Environment"]);
  const variables = Object.entries(Variables);
  return Object.fromEntries(
    variables.map(([name, value]) => [name, typeof value === "string" ? value : "resolved"]),
  );
}

it.each([
  { part: "Dispatcher", fn: dispatcher, memoryMb: 256, timeoutSeconds: 75 },
  { part: "Processor", fn: processor, memoryMb: 512, timeoutSeconds: 900 },
])(
  "the $part runs on Node 24, arm64, with a log of its own in JSON",
  ({ part, fn, memoryMb, timeoutSeconds }) => {
    const { Code, Environment, Description, ...rest } = fn.Properties;
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
    expect(Environment).toHaveProperty("Variables.NODE_OPTIONS", "--enable-source-maps");
    expect(Description).toContain("pool default");
  },
);

it("an async event is never retried, and dies before it could do harm", () => {
  const configs = stack.resources("AWS::Lambda::EventInvokeConfig").map(({ Properties }) => Properties);
  expect(configs).toHaveLength(2);
  expect(configs).toContainEqual({
    FunctionName: ref(processor),
    Qualifier: "$LATEST",
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 300,
    DestinationConfig: { OnFailure: { Destination: arnOf(failures) } },
  });
  expect(configs).toContainEqual({
    FunctionName: ref(dispatcher),
    Qualifier: "$LATEST",
    MaximumRetryAttempts: 0,
    MaximumEventAgeInSeconds: 60,
  });
});

it("the dispatcher gets its settings by environment", () => {
  expect(dispatcher.Properties["Environment"]).toEqual({
    Variables: {
      RUNNER_POOL: "default",
      RUNNER_API_BASE: "https://cloud.xenonflare.com",
      RUNNER_LEDGER_TABLE: ref(table),
      RUNNER_KEY_SECRET: ref(runnerKeys),
      RUNNER_PICKUP: "balanced",
      RUNNER_CONCURRENCY: "10",
      RUNNER_PROCESSOR_FUNCTION: ref(processor),
      NODE_OPTIONS: "--enable-source-maps",
    },
  });
});

it("the processor gets its settings by environment", () => {
  expect(processor.Properties["Environment"]).toEqual({
    Variables: {
      RUNNER_POOL: "default",
      RUNNER_API_BASE: "https://cloud.xenonflare.com",
      RUNNER_LEDGER_TABLE: ref(table),
      RUNNER_KEY_SECRET: ref(runnerKeys),
      OPENAI_KEY_SECRET: ref(modelKey),
      OPENAI_MODEL: "gpt-6-luna",
      OPENAI_SUMMARY_MODEL: "gpt-6-luna",
      OPENAI_STORE: "true",
      NODE_OPTIONS: "--enable-source-maps",
    },
  });
});

it("the environments are what the functions accept", () => {
  expect(parseDispatcherConfig(resolved(dispatcher)).RUNNER_CONCURRENCY).toBe(10);
  expect(parseProcessorConfig(resolved(processor)).OPENAI_STORE).toBe(true);
});

it("functions have no fixed name and no reserved concurrency, and may not call themselves in circles", () => {
  for (const fn of [dispatcher, processor]) {
    expect(fn.Properties).not.toHaveProperty("FunctionName");
    expect(fn.Properties).not.toHaveProperty("ReservedConcurrentExecutions");
    expect(fn.Properties).not.toHaveProperty("RecursiveLoop");
  }
});
