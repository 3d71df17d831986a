import { ArnFormat, Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";
import { importKey } from "../encryption.ts";

export interface AlarmTopicProps {
  readonly email: string | undefined;
  /** A customer-managed key whose policy lets CloudWatch use it. */
  readonly kmsKeyArn: string | undefined;
}

/**
 * The SNS topic that receives a stack's alarms. By default, SNS encrypts it at rest without a KMS key: alarms
 * cannot publish through the free key `aws/sns`, and a key of one's own costs 1 USD a month. A message
 * contains an alarm's name, its description and numbers, but no job data.
 */
export class AlarmTopic extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { email, kmsKeyArn }: AlarmTopicProps) {
    super(scope, id);
    const masterKey = importKey(this, kmsKeyArn);
    this.topic = new Topic(this, "Topic", { enforceSSL: true, ...(masterKey ? { masterKey } : {}) });
    // A topic policy replaces the default one, which lets the account's alarms publish.
    this.topic.addToResourcePolicy(this.#letAlarmsPublish());
    if (email !== undefined) this.topic.addSubscription(new EmailSubscription(email));
  }

  #letAlarmsPublish(): PolicyStatement {
    const stack = Stack.of(this);
    const alarms = stack.formatArn({
      service: "cloudwatch",
      resource: "alarm",
      resourceName: "*",
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return new PolicyStatement({
      principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
      actions: ["sns:Publish"],
      resources: [this.topic.topicArn],
      conditions: {
        ArnLike: { "aws:SourceArn": alarms },
        StringEquals: { "aws:SourceAccount": stack.account },
      },
    });
  }
}
