import { describe, expect, it } from "vitest";
import { parseRotatorConfig } from "../../../lib/core/config.ts";
import { arnOf, ref, synthesizeUnbundled } from "./synthesized.ts";

const stack = synthesizeUnbundled({ pools: [{ name: "mine", kind: "global", rotation: { everyDays: 30 } }] });
const table = stack.resource("AWS::DynamoDB::Table");
const keys = stack.resource("AWS::SecretsManager::Secret", "PoolMineKeys");
const account = stack.resource("AWS::SecretsManager::Secret", "RotatorAccount");
const rotator = stack.resource("AWS::Lambda::Function", "Rotator");

it("the outputs name its log group, so that the command line can read it", () => {
  const log = stack.resource("AWS::Logs::LogGroup", "Rotator");
  expect(stack.outputs["PoolMineRotatorLog"]?.Value).toEqual(ref(log));
});

it("no rotator is there unless the settings ask for it", () => {
  expect(synthesizeUnbundled({}).text).not.toContain("Rotator");
});

it("it gets its settings by environment, as the function accepts them", () => {
  const variables = {
    RUNNER_POOL: "mine",
    RUNNER_API_BASE: "https://cloud.xenonflare.com",
    RUNNER_RUN_STORE_TABLE: ref(table),
    RUNNER_KEY_SECRET: ref(keys),
    RUNNER_KIND: "global",
    RUNNER_ACCOUNT_SECRET: ref(account),
    RUNNER_SIGN_IN_URL: "https://securetoken.googleapis.com",
    RUNNER_REVOKE_AFTER_MS: "900000",
    NODE_OPTIONS: "--max-semi-space-size=2",
    MALLOC_ARENA_MAX: "1",
  };
  expect(rotator.Properties["Environment"]).toEqual({ Variables: variables });
  const names = { RUNNER_RUN_STORE_TABLE: "t", RUNNER_KEY_SECRET: "k", RUNNER_ACCOUNT_SECRET: "a" };
  expect(parseRotatorConfig({ ...variables, ...names }).RUNNER_REVOKE_AFTER_MS).toBe(900_000);
});

it("Secrets Manager of this account may call it, and nobody else", () => {
  expect(stack.resource("AWS::Lambda::Permission").Properties).toEqual({
    Action: "lambda:InvokeFunction",
    FunctionName: arnOf(rotator),
    Principal: "secretsmanager.amazonaws.com",
    SourceAccount: { Ref: "AWS::AccountId" },
  });
});

it("it looks for keys to revoke every quarter of an hour", () => {
  const schedule = stack.resource("AWS::Scheduler::Schedule", "Rotator");
  expect(schedule.Properties).toMatchObject({
    ScheduleExpression: "rate(15 minutes)",
    Target: { Arn: arnOf(rotator), Input: '{"revokeUnused":true}' },
  });
});

describe("the rotation's schedule", () => {
  it("is there where everyDays is given; the deploy itself rotates nothing", () => {
    expect(stack.resource("AWS::SecretsManager::RotationSchedule").Properties).toEqual({
      SecretId: ref(keys),
      RotationLambdaARN: arnOf(rotator),
      RotationRules: { AutomaticallyAfterDays: 30 },
      RotateImmediatelyOnUpdate: false,
    });
  });

  it("is off by default", () => {
    const onRequest = synthesizeUnbundled({ pools: [{ name: "mine", kind: "user", rotation: {} }] });
    expect(onRequest.types).not.toContain("AWS::SecretsManager::RotationSchedule");
    expect(onRequest.outputs["PoolMineRotator"]).toBeDefined();
    expect(onRequest.outputs["PoolMineAccountSecret"]).toBeDefined();
  });
});

it("an account's secret that exists already is used", () => {
  const accountKeySecretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:account-AbCdEf";
  const brought = synthesizeUnbundled({
    pools: [{ name: "mine", kind: "user", rotation: { accountKeySecretArn } }],
  });
  expect(brought.resources("AWS::SecretsManager::Secret")).toHaveLength(2);
  expect(brought.resource("AWS::Lambda::Function", "Rotator").Properties).toMatchObject({
    Environment: { Variables: { RUNNER_ACCOUNT_SECRET: accountKeySecretArn } },
  });
});
