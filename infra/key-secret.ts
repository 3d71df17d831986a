import { RemovalPolicy } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";

export interface KeySecretProps {
  readonly description: string;
  /** The complete ARN of an existing secret. Absent: an empty secret is created. */
  readonly importedArn: string | undefined;
}

/**
 * The secret for a key. A new secret is created without a value: no key passes through the template, and no
 * later deploy can overwrite a stored one. It has no fixed name and is deleted with the stack, so that the
 * stack can be created again at once and no live key is left behind. To keep a key, use a secret of your own
 * (`keySecretArn`).
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

  /** Allows everything that a rotation does with the secret's stages. */
  rotateStatement(): PolicyStatement {
    return this.#statement("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage");
  }

  /** Allows reading and replacing a value that its reader renews. */
  renewStatement(): PolicyStatement {
    return this.#statement("GetSecretValue", "PutSecretValue");
  }

  #statement(...actions: readonly string[]): PolicyStatement {
    return new PolicyStatement({
      actions: actions.map((action) => `secretsmanager:${action}`),
      resources: [this.arn],
    });
  }

  /** Uses an L1 construct, because the L2 construct always generates a value. */
  #create(description: string): CfnSecret {
    const secret = new CfnSecret(this, "Secret", { description });
    secret.applyRemovalPolicy(RemovalPolicy.DESTROY);
    acknowledge(secret, "AwsSolutions-SMG4");
    return secret;
  }
}
