import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Rules of cdk-nag's AwsSolutions pack that this stack breaks on purpose, with the reasons. */
const reasons = {
  "AwsSolutions-SMG4":
    "The key is issued by Studio or by the model's provider, who offer no rotation to Secrets Manager. A new value is taken up without a deploy.",
  "AwsSolutions-IAM5[Resource::*]":
    "X-Ray's traces and STS's tokens of one's own identity know no resources to which the right could be narrowed.",
  "AwsSolutions-SQS3":
    "This queue is itself where events end that could not be recovered: nothing reads it but people, so there is no second failure to catch.",
} as const;

export function acknowledge(scope: IConstruct, rule: keyof typeof reasons): void {
  // The id in the report starts with the plugin's name.
  Validations.of(scope).acknowledge({ id: `AwsSolutions::${rule}`, reason: reasons[rule] });
}

/** Acknowledges the wildcard of an ARN that only leaves the region open. */
export function acknowledgeRegions(scope: IConstruct, arn: string): void {
  const reason =
    "An inference profile of Bedrock sends a request to regions of AWS's choice. All but the region is named.";
  Validations.of(scope).acknowledge({ id: `AwsSolutions::AwsSolutions-IAM5[Resource::${arn}]`, reason });
}
