import { Aws, CfnResource, Fn } from "aws-cdk-lib";
import { CfnRole } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { Settings } from "./settings.ts";

/** The property that names a resource, by type. */
const nameProperties: Readonly<Record<string, string>> = {
  "AWS::CloudWatch::Alarm": "AlarmName",
  "AWS::CloudWatch::CompositeAlarm": "AlarmName",
  "AWS::CloudWatch::Dashboard": "DashboardName",
  "AWS::DynamoDB::Table": "TableName",
  "AWS::IAM::Role": "RoleName",
  "AWS::Lambda::Function": "FunctionName",
  "AWS::Logs::LogGroup": "LogGroupName",
  "AWS::Scheduler::Schedule": "Name",
  "AWS::SNS::Topic": "TopicName",
  "AWS::SQS::Queue": "QueueName",
  "AWS::SecretsManager::Secret": "Name",
};

/** Construct ids that say nothing in a name. */
const silent = ["Function", "Log", "Monitoring", "Resource", "Role", "Runner", "Secret", "Table", "Topic"];

/** Applies the settings `iam` and `namePrefix` to every resource in the scope. Call it last. */
export function applyCompanyRules(
  scope: Construct,
  { iam, namePrefix }: Pick<Settings, "iam" | "namePrefix">,
): void {
  for (const resource of scope.node.findAll()) {
    if (resource instanceof CfnRole) {
      resource.permissionsBoundary = iam.permissionsBoundaryArn;
      resource.path = iam.rolePath;
    }
    if (namePrefix === undefined || !CfnResource.isCfnResource(resource)) continue;
    const property = nameProperties[resource.cfnResourceType];
    const path = resource.node.path.slice(scope.node.path.length + 1);
    if (property !== undefined) resource.addPropertyOverride(property, nameOf(namePrefix, path));
  }
}

/**
 * `acme-default-dispatcher-51af3dc0`. The end is part of the stack's id, so that a stack can be created again
 * although the first one's run store was kept.
 */
function nameOf(prefix: string, path: string): string {
  const words = path
    .replace(/^Pool/, "")
    .split("/")
    .map((id) => id.replace(/Role$/, ""))
    .filter((id, index, ids) => id !== "" && !silent.includes(id) && id !== ids[index - 1])
    .map((id) => id.replaceAll(/(?<=.)(?=[A-Z])/g, "-").toLowerCase());
  const stackUuid = Fn.select(2, Fn.split("/", Aws.STACK_ID));
  return [prefix, ...words, Fn.select(0, Fn.split("-", stackUuid))].join("-");
}
