import { Aws } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Key, type IKey } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import type { Settings } from "./settings.ts";

type Encrypted = "table" | "secrets" | "logs" | "topic" | "queue";

/** The customer-managed key for a kind of resource; `undefined`: AWS's own encryption. */
export const keyArnFor = (
  { encryption }: Pick<Settings, "encryption">,
  what: Encrypted,
): string | undefined => encryption[`${what}KeyArn`] ?? encryption.keyArn;

/** The key as a construct, for CDK's own constructs. */
export const importKey = (scope: Construct, keyArn: string | undefined): IKey | undefined =>
  keyArn === undefined ? undefined : Key.fromKeyArn(scope, "Key", keyArn);

/**
 * What a function needs of the key of a resource that it uses. The services call KMS with the function's own
 * permissions.
 */
const actions = {
  dynamodb: [
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
  ],
  secretToRead: ["Decrypt"],
  secretToWrite: ["Decrypt", "GenerateDataKey"],
  sqs: ["Decrypt", "GenerateDataKey"],
} as const;

/** Allows the use of the key through its service only. None without a key. */
export function keyStatements(
  use: keyof typeof actions,
  keyArn: string | undefined,
): readonly PolicyStatement[] {
  if (keyArn === undefined) return [];
  const service = use === "dynamodb" || use === "sqs" ? use : "secretsmanager";
  const statement = new PolicyStatement({
    actions: actions[use].map((action) => `kms:${action}`),
    resources: [keyArn],
    // In China, the name ends in .amazonaws.com.cn.
    conditions: { StringLike: { "kms:ViaService": `${service}.${Aws.REGION}.amazonaws.com*` } },
  });
  return [statement];
}
