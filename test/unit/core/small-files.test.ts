import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { parseDispatcherConfig, parseProcessorConfig, toEnvironment } from "../../../lib/core/config.ts";
import { hasCode, RunnerError, toRunnerError } from "../../../lib/core/errors.ts";
import { Secret } from "../../../lib/core/secret.ts";

describe("a secret", () => {
  it("shows itself to nothing but reveal()", () => {
    const secret = new Secret("hunter2");
    const shown = [
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }),
      inspect(secret, { showHidden: true }),
    ];
    expect(shown).toEqual(["[redacted]", '{"secret":"[redacted]"}', "{ secret: [redacted] }", "[redacted]"]);
    expect(secret.reveal()).toBe("hunter2");
  });
});

describe("errors", () => {
  it("of the family stay themselves; anything else is a defect of ours, kept as cause", () => {
    const own = new RunnerError("lease_lost", "gone");
    expect(toRunnerError(own)).toBe(own);
    const bug = new TypeError("oops");
    expect(toRunnerError(bug)).toMatchObject({
      code: "internal",
      message: "oops",
      cause: bug,
      retryable: false,
    });
    expect(hasCode(own, "key_refused", "lease_lost")).toBe(true);
    expect(hasCode(bug, "internal")).toBe(false);
  });
});

const dispatcherVariables = {
  RUNNER_POOL: "default",
  RUNNER_API_BASE: "https://studio.example.com",
  RUNNER_RUN_STORE_TABLE: "runs",
  RUNNER_KEY_SECRET: "arn:secret",
  RUNNER_POLLING: "balanced",
  RUNNER_CONCURRENCY: "10",
  RUNNER_PROCESSOR_FUNCTION: "processor",
  RUNNER_RUN_LIMIT_MS: "3600000",
  RUNNER_MAX_EVENT_AGE_MS: "300000",
  RUNNER_DAILY_CAP_USD: "2.5",
};

const processorVariables = {
  RUNNER_POOL: "default",
  RUNNER_API_BASE: "https://studio.example.com",
  RUNNER_RUN_STORE_TABLE: "runs",
  RUNNER_KEY_SECRET: "arn:secret",
  RUNNER_RUN_LIMIT_MS: "3600000",
  OPENAI_KEY_SECRET: "arn",
  OPENAI_MODEL: "m",
  OPENAI_SUMMARY_MODEL: "s",
  OPENAI_MODE: "auto",
  OPENAI_STORE: "true",
  OPENAI_SERVICE_TIER: "flex",
  OPENAI_HOSTED_TOOLS: '["web_search"]',
  RUNNER_PRICES:
    '{"models":{"m":{"inputPerMillionUsd":2,"cachedInputPerMillionUsd":0.2,"outputPerMillionUsd":10}},"tiers":{"flex":0.5,"priority":2},"webSearchUsd":0.01}',
};

describe("the functions' environment", () => {
  it("is read back as it was written", () => {
    const config = parseDispatcherConfig(dispatcherVariables);
    expect(config.RUNNER_CONCURRENCY).toBe(10);
    expect(toEnvironment(config)).toEqual(dispatcherVariables);
    const processor = parseProcessorConfig(processorVariables);
    expect(processor.RUNNER_PRICES.models["m"]?.outputPerMillionUsd).toBe(10);
    expect(processor.OPENAI_HOSTED_TOOLS).toEqual(["web_search"]);
    expect(toEnvironment(processor)).toEqual(processorVariables);
  });

  it("reads the store flag as a flag", () => {
    const read = (store: string) => parseProcessorConfig({ ...processorVariables, OPENAI_STORE: store });
    expect(read("false").OPENAI_STORE).toBe(false);
    expect(read("true").OPENAI_STORE).toBe(true);
  });

  it.each(["", "nonsense", "[]", "{}", '{"models":{"m":{}}}', '{"models":{"m":{"inputPerMillionUsd":"2"}}}'])(
    "refuses the prices %j",
    (text) => {
      expect(() => parseProcessorConfig({ ...processorVariables, RUNNER_PRICES: text })).toThrow(
        "RUNNER_PRICES",
      );
    },
  );

  it.each(["", "web_search", '["telepathy"]'])("refuses the hosted tools %j", (text) => {
    expect(() => parseProcessorConfig({ ...processorVariables, OPENAI_HOSTED_TOOLS: text })).toThrow(
      "OPENAI_HOSTED_TOOLS",
    );
  });

  it("names every wrong variable at once", () => {
    const read = (): unknown =>
      parseDispatcherConfig({
        ...dispatcherVariables,
        RUNNER_CONCURRENCY: "0",
        RUNNER_POLLING: "slow",
        RUNNER_POOL: "",
      });
    expect(read).toThrow(/RUNNER_POOL: .*RUNNER_POLLING: .*RUNNER_CONCURRENCY: /);
  });
});
