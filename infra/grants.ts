import { Stack } from "aws-cdk-lib";
import { Grant, PolicyStatement, type IGrantable } from "aws-cdk-lib/aws-iam";
import { askBedrockStatements } from "./bedrock.ts";
import type { Pool } from "./pool.ts";
import type { StudioRunner } from "./studio-runner.ts";

/** What the commands that change nothing do with AWS: status, jobs, explain, logs, config, cost. */
export function readStatements(runner: StudioRunner): readonly PolicyStatement[] {
  const stack = Stack.of(runner);
  return [
    describe(stack, stack.stackName),
    // It supports no resources with a composite alarm.
    allow(["cloudwatch:DescribeAlarms"], ["*"]),
    ...runner.pools.flatMap((pool) => [
      ...runner.runStore.rowStatements(pool.settings.name, "GetItem", "Query"),
      runner.runStore.openRunsStatement(pool.settings.name),
      allow(["logs:FilterLogEvents"], logGroupsOf(pool)),
      allow(["scheduler:GetSchedule"], [pool.dispatcher.schedule.scheduleArn]),
      allow(["sqs:GetQueueAttributes"], [pool.recovery.deadLetters.queueArn]),
    ]),
  ];
}

/** What the other commands do in addition: pause, drain, set-cap, secrets set, rotate, redrive, doctor and so on. */
export function operateStatements(runner: StudioRunner): readonly PolicyStatement[] {
  const stack = Stack.of(runner);
  return [
    describe(stack, bootstrapStack),
    // It supports no resources.
    allow(["lambda:GetAccountSettings"], ["*"]),
    ...askBedrockStatements(stack, runner.settings),
    ...(runner.modelKey?.rotateStatements() ?? []),
    ...runner.pools.flatMap((pool) => [
      ...runner.runStore.rowStatements(pool.settings.name, "UpdateItem"),
      ...pool.runnerKeys.rotateStatements(),
      ...(pool.rotator?.account.rotateStatements() ?? []),
      ...pool.recovery.redriveStatements(),
    ]),
    ...(runner.settings.network ? [allow(networkReads, ["*"])] : []),
  ];
}

/** What doctor reads of a VPC. They support no resources. */
const networkReads = ["Subnets", "SecurityGroups", "RouteTables", "VpcEndpoints"].map(
  (what) => `ec2:Describe${what}`,
);

/** The name of `cdk bootstrap`'s stack. */
const bootstrapStack = "CDKToolkit";

const describe = (stack: Stack, name: string): PolicyStatement =>
  allow(
    ["cloudformation:DescribeStacks"],
    [stack.formatArn({ service: "cloudformation", resource: "stack", resourceName: `${name}/*` })],
  );

const allow = (actions: readonly string[], resources: readonly string[]): PolicyStatement =>
  new PolicyStatement({ actions: [...actions], resources: [...resources] });

function logGroupsOf({ dispatcher, processor, recovery, rotator }: Pool): readonly string[] {
  const parts = [dispatcher, processor, recovery, ...(rotator ? [rotator] : [])];
  return parts.map(({ runner }) => runner.logGroup.logGroupArn);
}

/** Adds the statements to what the grantee may do. */
export function grantAll(grantee: IGrantable, statements: readonly PolicyStatement[]): Grant {
  return statements
    .map(({ actions, resources, conditions }) =>
      Grant.addToPrincipal({ grantee, actions, resourceArns: resources, conditions }),
    )
    .reduce((all, one) => all.combine(one));
}
