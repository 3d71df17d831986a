import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Rules of cdk-nag's AwsSolutions pack that this stack breaks on purpose, with the reasons. */
const reasons = {
  "AwsSolutions-SMG4":
    "The key is issued by Studio or by the model's provider, which offer no rotation through Secrets Manager. A new value takes effect without a deploy.",
  "AwsSolutions-IAM5[Resource::*]":
    "The actions for X-Ray traces and STS identity tokens, and those by which Lambda connects a function to a VPC, support no resources to which they could be restricted.",
  "AwsSolutions-SQS3":
    "This is itself the dead-letter queue for events that could not be recovered. Only people read it, so there is no second failure to catch.",
} as const;

export function acknowledge(scope: IConstruct, rule: keyof typeof reasons): void {
  // The id in the report starts with the plugin's name.
  Validations.of(scope).acknowledge({ id: `AwsSolutions::${rule}`, reason: reasons[rule] });
}

/** Acknowledges the wildcard of an ARN that only leaves the region open. */
export function acknowledgeRegions(scope: IConstruct, arn: string): void {
  const reason =
    "A Bedrock inference profile sends requests to regions that AWS chooses. Everything but the region is specified.";
  Validations.of(scope).acknowledge({ id: `AwsSolutions::AwsSolutions-IAM5[Resource::${arn}]`, reason });
}
