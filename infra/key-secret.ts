import { RemovalPolicy } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { CfnSecret, Secret, type ISecret } from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import { importKey, keyStatements } from "./encryption.ts";

export interface KeySecretProps {
  readonly description: string;
  /** The complete ARN of an existing secret. Absent: an empty secret is created. */
  readonly importedArn: string | undefined;
  /** The customer-managed KMS key of the secret, created or existing. */
  readonly kmsKeyArn: string | undefined;
}

/**
 * The secret for a key. A new secret is created without a value: no key passes through the template, and no
 * later deploy can overwrite a stored one. It has no fixed name and is deleted with the stack, so that the
 * stack can be created again at once and no live key is left behind. To keep a key, use a secret of your own
 * (`keySecretArn`).
 */
export class KeySecret extends Construct {
  /** The secret's complete ARN. */
  readonly arn: string;
  /** For grants and references. Your app never needs the value. */
  readonly secret: ISecret;
  readonly imported: boolean;
  readonly #kmsKeyArn: string | undefined;

  constructor(scope: Construct, id: string, props: KeySecretProps) {
    super(scope, id);
    this.imported = props.importedArn !== undefined;
    this.#kmsKeyArn = props.kmsKeyArn;
    this.arn = props.importedArn ?? this.#create(props.description).ref;
    const encryptionKey = importKey(this, props.kmsKeyArn);
    this.secret = Secret.fromSecretAttributes(this, "Existing", {
      secretCompleteArn: this.arn,
      ...(encryptionKey ? { encryptionKey } : {}),
    });
  }

  readStatements(): readonly PolicyStatement[] {
    return [this.#statement("GetSecretValue"), ...keyStatements("secretToRead", this.#kmsKeyArn)];
  }

  /** @internal Allows everything that a rotation does with the secret's stages. */
  rotateStatements(): readonly PolicyStatement[] {
    return [
      this.#statement("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"),
      ...keyStatements("secretToWrite", this.#kmsKeyArn),
    ];
  }

  /** @internal Allows reading and replacing a value that its reader renews. */
  renewStatements(): readonly PolicyStatement[] {
    return [
      this.#statement("GetSecretValue", "PutSecretValue"),
      ...keyStatements("secretToWrite", this.#kmsKeyArn),
    ];
  }

  #statement(...actions: readonly string[]): PolicyStatement {
    return new PolicyStatement({
      actions: actions.map((action) => `secretsmanager:${action}`),
      resources: [this.arn],
    });
  }

  /** Uses an L1 construct, because the L2 construct always generates a value. */
  #create(description: string): CfnSecret {
    const secret = new CfnSecret(this, "Secret", {
      description,
      ...(this.#kmsKeyArn === undefined ? {} : { kmsKeyId: this.#kmsKeyArn }),
    });
    secret.applyRemovalPolicy(RemovalPolicy.DESTROY);
    acknowledge(secret, "AwsSolutions-SMG4");
    return secret;
  }
}
