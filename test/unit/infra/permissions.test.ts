import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { expect, it } from "vitest";
import { addStack } from "../../../infra/synthesize.ts";
import { defaultStack } from "./default-stack.ts";
import { arnOf, ref, synthesizeUnbundled, testApp } from "./synthesized.ts";

const { stack, table, modelKey, runnerKeys, dispatcher, processor, recovery, deadLetters, logOf, roleOf } =
  defaultStack();

/** Of the policy that a function's deployment waits for. */
const statementsOf = (part: string): unknown => {
  const policy = stack.resource("AWS::IAM::Policy", `${part}RunnerRoleDefaultPolicy`);
  expect(policy.Properties["Roles"]).toEqual([ref(roleOf(part))]);
  return policy.Properties["PolicyDocument"];
};
const allow = (Action: string | readonly string[], Resource: unknown) => ({
  Effect: "Allow",
  Action,
  Resource,
});
const allowOwnRows = (Action: string | readonly string[], Resource: unknown) => ({
  ...allow(Action, Resource),
  Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["default"] } },
});

it("the dispatcher may do this and nothing else", () => {
  const openRuns = { "Fn::Join": ["", [arnOf(table), "/index/open"]] };
  const rows = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];
  expect(statementsOf("Dispatcher")).toEqual({
    Version: "2012-10-17",
    Statement: [
      allow(["logs:CreateLogStream", "logs:PutLogEvents"], arnOf(logOf("Dispatcher"))),
      allowOwnRows(rows, arnOf(table)),
      allowOwnRows("dynamodb:Query", openRuns),
      allow("secretsmanager:GetSecretValue", ref(runnerKeys)),
      allow("lambda:InvokeFunction", arnOf(processor)),
    ],
  });
});

it("the processor may do this and nothing else", () => {
  expect(statementsOf("Processor")).toEqual({
    Version: "2012-10-17",
    Statement: [
      allow(["logs:CreateLogStream", "logs:PutLogEvents"], arnOf(logOf("Processor"))),
      allowOwnRows(["dynamodb:GetItem", "dynamodb:UpdateItem"], arnOf(table)),
      allow("secretsmanager:GetSecretValue", [ref(modelKey), ref(runnerKeys)]),
    ],
  });
});

it("an attempt may also call the next one, and Lambda recovery in its name", () => {
  expect(stack.resource("AWS::IAM::Policy", "ProcessorOnward").Properties).toMatchObject({
    Roles: [ref(roleOf("Processor"))],
    PolicyDocument: {
      Version: "2012-10-17",
      Statement: [allow("lambda:InvokeFunction", [arnOf(processor), arnOf(recovery)])],
    },
  });
});

it("recovery may do this and nothing else", () => {
  expect(statementsOf("Recovery")).toEqual({
    Version: "2012-10-17",
    Statement: [
      allow(["logs:CreateLogStream", "logs:PutLogEvents"], arnOf(logOf("Recovery"))),
      allowOwnRows(["dynamodb:GetItem", "dynamodb:UpdateItem"], arnOf(table)),
      allow("secretsmanager:GetSecretValue", ref(runnerKeys)),
      allow("lambda:InvokeFunction", arnOf(processor)),
      allow("sqs:SendMessage", arnOf(deadLetters)),
    ],
  });
});

it("the same call in the role itself would be refused: the processor would wait for its own name", () => {
  const app = testApp({ hasValidation: true });
  const [pool] = addStack(app, {}).runner.pools;
  const { role, function: fn } = pool!.processor.runner;
  role.addToPolicy(new PolicyStatement({ actions: ["lambda:InvokeFunction"], resources: [fn.functionArn] }));
  expect(() => app.synth()).toThrow("Circular Dependencies");
});

it("Lambda learns of recovery only when the processor's role may call it", () => {
  const events = stack.resource("AWS::Lambda::EventInvokeConfig", "Processor");
  expect(events.DependsOn).toEqual([stack.resource("AWS::IAM::Policy", "ProcessorOnward").logicalId]);
});

it("the schedule may invoke its dispatcher and nothing else, and only for this account's schedules", () => {
  expect(stack.resource("AWS::IAM::Role", "ScheduleRole").Properties).toEqual({
    AssumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Action: "sts:AssumeRole",
          Principal: { Service: "scheduler.amazonaws.com" },
          Condition: {
            StringEquals: {
              "aws:SourceAccount": { Ref: "AWS::AccountId" },
              "aws:SourceArn": {
                "Fn::Join": [
                  "",
                  [
                    "arn:",
                    { Ref: "AWS::Partition" },
                    ":scheduler:",
                    { Ref: "AWS::Region" },
                    ":",
                    { Ref: "AWS::AccountId" },
                    ":schedule-group/default",
                  ],
                ],
              },
            },
          },
        },
      ],
    },
    Policies: [
      {
        PolicyName: "Invoke",
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: [allow("lambda:InvokeFunction", arnOf(dispatcher))],
        },
      },
    ],
  });
});

it("with tracing each function may also send traces, and is not made before it may", () => {
  const traced = synthesizeUnbundled({ monitoring: { tracing: "xray" } });
  for (const part of ["Dispatcher", "Processor", "Recovery"]) {
    const policy = traced.resource("AWS::IAM::Policy", `${part}RunnerTracing`);
    expect(policy.Properties).toMatchObject({
      Roles: [ref(traced.resource("AWS::IAM::Role", `${part}RunnerRole`))],
      PolicyDocument: {
        Version: "2012-10-17",
        Statement: [allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*")],
      },
    });
    const fn = traced.resource("AWS::Lambda::Function", part);
    expect(fn.Properties["TracingConfig"]).toEqual({ Mode: "Active" });
    expect(fn.DependsOn).toContain(policy.logicalId);
  }
  expect(traced.resources("AWS::IAM::Policy")).toHaveLength(7);
});

it("no role has a managed policy, and there is no other role or policy", () => {
  expect(stack.resources("AWS::IAM::Role")).toHaveLength(4);
  expect(stack.resources("AWS::IAM::Policy")).toHaveLength(4);
  for (const role of stack.resources("AWS::IAM::Role"))
    expect(role.Properties).not.toHaveProperty("ManagedPolicyArns");
});
