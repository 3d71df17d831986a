import { App, Duration, Stack } from "aws-cdk-lib";
import { IpAddresses, Peer, Port, SecurityGroup, SubnetType, Vpc } from "aws-cdk-lib/aws-ec2";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { StudioRunner } from "../infra/studio-runner.ts";

/**
 * The runner as a construct in your own app, with a VPC and KMS keys of the same stack. Run it with
 * `npx cdk synth --app "node examples/own-app.ts"`.
 */
export function addOwnStack(app: App): Stack {
  const stack = new Stack(app, "OwnApp");
  const vpc = new Vpc(stack, "Vpc", {
    ipAddresses: IpAddresses.cidr("10.20.0.0/16"),
    maxAzs: 2,
    natGateways: 1,
    restrictDefaultSecurityGroup: false,
  });
  const group = new SecurityGroup(stack, "Functions", { vpc, allowAllOutbound: false });
  group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), "Studio, the model and AWS");

  const key = new Key(stack, "Key", { enableKeyRotation: true, pendingWindow: Duration.days(30) });
  key.grantEncryptDecrypt(new ServicePrincipal(`logs.${stack.region}.amazonaws.com`));
  // The alarms' topic has its own, so that CloudWatch's alarms cannot use the other.
  const topicKey = new Key(stack, "TopicKey", { enableKeyRotation: true, pendingWindow: Duration.days(30) });
  topicKey.grantEncryptDecrypt(new ServicePrincipal("cloudwatch.amazonaws.com"));

  const runner = new StudioRunner(stack, "Runner", {
    encryption: { keyArn: key.keyArn, topicKeyArn: topicKey.keyArn },
    network: {
      subnetIds: vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_WITH_EGRESS }).subnetIds,
      securityGroupIds: [group.securityGroupId],
    },
    pools: [{ name: "default", kind: "user" }],
  });
  // Functions start only when the way out is there.
  runner.node.addDependency(vpc);
  // What the CLI operates the stack by: npm run runner -- status --stack OwnApp
  runner.addOutputs();
  return stack;
}

if (import.meta.main) addOwnStack(new App());
