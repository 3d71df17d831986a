import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { parseDispatcherConfig, parseProcessorConfig, toEnvironment } from "../../../lib/core/config.ts";
import { hasCode, RunnerError, toRunnerError } from "../../../lib/core/errors.ts";
import { Secret } from "../../../lib/core/secret.ts";

describe("a secret", () => {
  it("is redacted wherever it is printed or serialized, and readable only with reveal()", () => {
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

describe("toRunnerError", () => {
  it("keeps our own errors and wraps any other in an internal error as its cause", () => {
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

const shared = {
  RUNNER_POOL: "default",
  RUNNER_API_BASE: "https://studio.example.com",
  RUNNER_RUN_STORE_TABLE: "runs",
  RUNNER_KEY_SECRET: "arn:secret",
  RUNNER_RUN_LIMIT_MS: "3600000",
};
const dispatcherVariables = {
  ...shared,
  RUNNER_POLLING: "balanced",
  RUNNER_CONCURRENCY: "10",
  RUNNER_PROCESSOR_FUNCTION: "processor",
  RUNNER_MAX_EVENT_AGE_MS: "300000",
  RUNNER_DAILY_CAP_USD: "2.5",
};
const processorVariables = {
  ...shared,
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
  it("is unchanged after it is parsed and written again", () => {
    const config = parseDispatcherConfig(dispatcherVariables);
    expect(config.RUNNER_CONCURRENCY).toBe(10);
    expect(toEnvironment(config)).toEqual(dispatcherVariables);
    const processor = parseProcessorConfig(processorVariables);
    expect(processor.RUNNER_PRICES.models["m"]?.outputPerMillionUsd).toBe(10);
    expect(processor.OPENAI_HOSTED_TOOLS).toEqual(["web_search"]);
    expect(toEnvironment(processor)).toEqual(processorVariables);
  });

  it("holds OPENAI_STORE as a boolean", () => {
    const read = (store: string) => parseProcessorConfig({ ...processorVariables, OPENAI_STORE: store });
    expect(read("false").OPENAI_STORE).toBe(false);
    expect(read("true").OPENAI_STORE).toBe(true);
  });

  it.each([
    ...["", "nonsense", "[]", "{}", '{"models":{"m":{}}}', '{"models":{"m":{"inputPerMillionUsd":"2"}}}'].map(
      (text) => ["RUNNER_PRICES", text] as const,
    ),
    ...["", "web_search", '["telepathy"]'].map((text) => ["OPENAI_HOSTED_TOOLS", text] as const),
  ])("is rejected when %s is %j", (name, text) => {
    expect(() => parseProcessorConfig({ ...processorVariables, [name]: text })).toThrow(name);
  });

  it("is rejected with the names of all wrong variables at once", () => {
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
