import { RemovalPolicy } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";

export interface KeySecretProps {
  readonly description: string;
  /** An existing secret, whole ARN. Absent: an empty one is created. */
  readonly importedArn: string | undefined;
}

/**
 * Where a key is kept. Ours is created without any value: nothing secret passes through the template, and no later
 * deploy can overwrite what was put in. It has no fixed name and goes with the stack: a stack can be created again at
 * once, and no live key stays behind in a secret that nobody remembers. To keep a key, bring the secret (`keySecretArn`).
 */
export class KeySecret extends Construct {
  readonly arn: string;
  readonly imported: boolean;

  constructor(scope: Construct, id: string, props: KeySecretProps) {
    super(scope, id);
    this.imported = props.importedArn !== undefined;
    this.arn = props.importedArn ?? this.#create(props.description).ref;
  }

  readStatement(): PolicyStatement {
    return this.#statement("GetSecretValue");
  }

  /** All that moving it through the stages of a rotation takes. */
  rotateStatement(): PolicyStatement {
    return this.#statement("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage");
  }

  /** For a value that its reader has to renew. */
  renewStatement(): PolicyStatement {
    return this.#statement("GetSecretValue", "PutSecretValue");
  }

  #statement(...actions: readonly string[]): PolicyStatement {
    return new PolicyStatement({
      actions: actions.map((action) => `secretsmanager:${action}`),
      resources: [this.arn],
    });
  }

  /** L1, because the L2 construct always has a value generated. */
  #create(description: string): CfnSecret {
    const secret = new CfnSecret(this, "Secret", { description });
    secret.applyRemovalPolicy(RemovalPolicy.DESTROY);
    acknowledge(secret, "AwsSolutions-SMG4");
    return secret;
  }
}
