import { describe, expect, it } from "vitest";
import { parseRotatorConfig } from "../../../lib/core/config.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const stack = synthesizeUnbundled({ pools: [{ name: "mine", kind: "global", rotation: { everyDays: 30 } }] });
const rotator = "PoolMineRotatorRunnerFunction";

it("the outputs include the rotator's names, which the CLI reads", () => {
  expect(stack.outputs["PoolMineRotatorLog"]?.Value).toBe("PoolMineRotatorRunnerLog");
  expect(stack.outputs).toHaveProperty("PoolMineRotator");
  expect(stack.outputs).toHaveProperty("PoolMineAccountSecret");
});

it("the template has no rotator by default", () => {
  expect(synthesizeUnbundled({}).text).not.toContain("Rotator");
});

it("the rotator gets its settings as environment variables that its config accepts", () => {
  const variables = stack.variables("Rotator");
  expect(variables).toEqual({
    RUNNER_POOL: "mine",
    RUNNER_API_BASE: "https://cloud.xenonflare.com",
    RUNNER_RUN_STORE_TABLE: "RunStoreTable",
    RUNNER_KEY_SECRET: "PoolMineKeysSecret",
    RUNNER_KIND: "global",
    RUNNER_ACCOUNT_SECRET: "PoolMineRotatorAccountSecret",
    RUNNER_SIGN_IN_URL: "https://securetoken.googleapis.com",
    RUNNER_REVOKE_AFTER_MS: "900000",
    NODE_OPTIONS: "--max-semi-space-size=2",
    MALLOC_ARENA_MAX: "1",
  });
  expect(parseRotatorConfig(variables).RUNNER_REVOKE_AFTER_MS).toBe(900_000);
});

it("only this account's Secrets Manager may call the rotator", () => {
  expect(stack.resource("AWS::Lambda::Permission").Properties).toEqual({
    Action: "lambda:InvokeFunction",
    FunctionName: `${rotator}.Arn`,
    Principal: "secretsmanager.amazonaws.com",
    SourceAccount: "AWS::AccountId",
  });
});

it("the rotator is scheduled every 15 minutes to revoke unused keys", () => {
  const schedule = stack.resource("AWS::Scheduler::Schedule", "Rotator");
  expect(schedule.Properties).toMatchObject({
    ScheduleExpression: "rate(15 minutes)",
    Target: { Arn: `${rotator}.Arn`, Input: '{"revokeUnused":true}' },
  });
});

describe("the rotation's schedule", () => {
  it("follows everyDays, and does not rotate at deploy time", () => {
    expect(stack.resource("AWS::SecretsManager::RotationSchedule").Properties).toEqual({
      SecretId: "PoolMineKeysSecret",
      RotationLambdaARN: `${rotator}.Arn`,
      RotationRules: { AutomaticallyAfterDays: 30 },
      RotateImmediatelyOnUpdate: false,
    });
  });

  it("is off by default", () => {
    const onRequest = synthesizeUnbundled({ pools: [{ name: "mine", kind: "user", rotation: {} }] });
    expect(onRequest.types).not.toContain("AWS::SecretsManager::RotationSchedule");
    expect(onRequest.text).toContain("Rotator");
  });
});

it("an existing secret of the account key is used", () => {
  const accountKeySecretArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:account-AbCdEf";
  const brought = synthesizeUnbundled({
    pools: [{ name: "mine", kind: "user", rotation: { accountKeySecretArn } }],
  });
  expect(brought.resources("AWS::SecretsManager::Secret")).toHaveLength(2);
  expect(brought.variables("Rotator")["RUNNER_ACCOUNT_SECRET"]).toBe(accountKeySecretArn);
});
