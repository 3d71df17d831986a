import { arn, object } from "./schema-parts.ts";

/** A policy can name a key by its ARN only, not by an alias. */
export const kmsKeyArn = () =>
  arn(
    "Give the key's complete ARN, not an alias: arn:aws:kms:<region>:<account>:key/<id>.",
    /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/(?:mrk-[\da-f]{32}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/,
  );

/**
 * Customer-managed KMS keys. What a key's policy must allow: docs/company.md. A table that you bring keeps
 * its encryption; the key then says which one the functions may use.
 */
export const encryptionSchema = object({
  /** For everything that has no key of its own below. */
  keyArn: kmsKeyArn().optional(),
  tableKeyArn: kmsKeyArn().optional(),
  secretsKeyArn: kmsKeyArn().optional(),
  logsKeyArn: kmsKeyArn().optional(),
  topicKeyArn: kmsKeyArn().optional(),
  queueKeyArn: kmsKeyArn().optional(),
});
