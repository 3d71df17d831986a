import { expect, it } from "vitest";
import { rightsOf } from "./roles.ts";
import { problems } from "./settings-cases.ts";
import { synthesizeUnbundled } from "./synthesized.ts";

const network = {
  subnetIds: ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"],
  securityGroupIds: ["sg-0a1b2c3d4e5f60003"],
};
const stack = synthesizeUnbundled(
  { network, pools: [{ name: "default", kind: "user", rotation: {} }] },
  { hasValidation: true },
);

it("every function runs in the subnets and security groups of the settings", () => {
  const configs = stack
    .resources("AWS::Lambda::Function")
    .map(({ Properties }): unknown => Properties["VpcConfig"]);
  const expected = { SubnetIds: network.subnetIds, SecurityGroupIds: network.securityGroupIds };
  expect(configs).toEqual([expected, expected, expected, expected]);
});

it("Lambda may make network interfaces with each function's role, but the function's own code may not", () => {
  const lines = Object.entries(rightsOf(stack)).map(
    ([role, { may }]) => [role, may.filter((line) => line.includes("ec2:"))] as const,
  );
  const actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ];
  const rights = [
    ...actions.map((action) => `Deny ${action} on * if {"Null":{"lambda:SourceFunctionArn":"false"}}`),
    ...actions.map((action) => `${action} on *`),
  ];
  expect(Object.fromEntries(lines)).toEqual({
    PoolDefaultDispatcher: rights,
    PoolDefaultDispatcherSchedule: [],
    PoolDefaultProcessor: rights,
    PoolDefaultRecovery: rights,
    PoolDefaultRotator: rights,
    PoolDefaultRotatorSchedule: [],
  });
});

it("each function is created after the policy that lets Lambda connect it", () => {
  for (const part of ["Dispatcher", "Processor", "Recovery", "Rotator"]) {
    const policy = stack.resource("AWS::IAM::Policy", `${part}RunnerNetwork`);
    expect(stack.resource("AWS::Lambda::Function", part).DependsOn).toContain(policy.logicalId);
  }
});

it("the settings refuse a network without security groups, ids that are none, and an id given twice", () => {
  expect(problems({ network: { subnetIds: ["vpc-0a1b2c3d"] } })).toEqual([
    'network.subnetIds[0]: given "vpc-0a1b2c3d". Give a list of 1 to 16 ids, like ["subnet-0a1b2c3d"].',
    'network.securityGroupIds: missing. Give a list of 1 to 5 ids, like ["sg-0a1b2c3d"].',
  ]);
  const twice = [...network.subnetIds, "subnet-0a1b2c3d4e5f60001"];
  expect(problems({ network: { ...network, subnetIds: twice } })).toEqual([
    "network.subnetIds: given a list. Give each id once.",
  ]);
  expect(problems({ network: { ...network, subnetIds: [] } })).toEqual([
    'network.subnetIds: given a list. Give a list of 1 to 16 ids, like ["subnet-0a1b2c3d"].',
  ]);
});
