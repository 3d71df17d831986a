import { expect, it } from "vitest";
import { defaultStack } from "./default-stack.ts";
import { arnOf, ref } from "./synthesized.ts";

const { stack, table, modelKey, runnerKeys, dispatcher, processor, failures, logOf, roleOf } = defaultStack();

const statementsOf = (part: string): unknown => {
  const policy = stack.resource("AWS::IAM::Policy", part);
  expect(policy.Properties["Roles"]).toEqual([ref(roleOf(part))]);
  return policy.Properties["PolicyDocument"];
};
const allow = (Action: string | readonly string[], Resource: unknown) => ({
  Effect: "Allow",
  Action,
  Resource,
});

it("the dispatcher may do this and nothing else", () => {
  const openRuns = { "Fn::Join": ["", [arnOf(table), "/index/open"]] };
  const rows = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];
  expect(statementsOf("Dispatcher")).toEqual({
    Version: "2012-10-17",
    Statement: [
      allow(["logs:CreateLogStream", "logs:PutLogEvents"], arnOf(logOf("Dispatcher"))),
      allow(rows, arnOf(table)),
      allow("dynamodb:Query", openRuns),
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
      allow("dynamodb:UpdateItem", arnOf(table)),
      allow("secretsmanager:GetSecretValue", [ref(modelKey), ref(runnerKeys)]),
      allow("sqs:SendMessage", arnOf(failures)),
    ],
  });
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

it("no role has a managed policy, and there is no other role or policy", () => {
  expect(stack.resources("AWS::IAM::Role")).toHaveLength(3);
  expect(stack.resources("AWS::IAM::Policy")).toHaveLength(2);
  for (const role of stack.resources("AWS::IAM::Role"))
    expect(role.Properties).not.toHaveProperty("ManagedPolicyArns");
});
