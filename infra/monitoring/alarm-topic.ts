import { ArnFormat, Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import { Construct } from "constructs";

/**
 * Where all alarms of a stack speak. SNS keeps it encrypted on disk with no key of ours: alarms cannot publish through
 * the free key `aws/sns`, whose policy does not know them, and a key of one's own costs 1 USD a month. A message holds an
 * alarm's name, its description and numbers; nothing of a job.
 */
export class AlarmTopic extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: { readonly email: string | undefined }) {
    super(scope, id);
    this.topic = new Topic(this, "Topic", { enforceSSL: true });
    // A topic with a policy of its own has lost the default one, which lets the account's alarms in.
    this.topic.addToResourcePolicy(this.#letAlarmsPublish());
    if (props.email !== undefined) this.topic.addSubscription(new EmailSubscription(props.email));
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
