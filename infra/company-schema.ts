import * as z from "zod";
import { identifier, object } from "./schema-parts.ts";

/** A policy can name a key by its ARN only, not by an alias. */
export const kmsKeyArn = () =>
  identifier(
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

/** A list of ids, as many as a function takes. */
const ids = (prefix: "subnet" | "sg", max: number) => {
  const hint = `Give a list of 1 to ${max} ids, like ["${prefix}-0a1b2c3d"].`;
  return z
    .array(identifier(hint, new RegExp(`^${prefix}-[\\da-f]{8,17}$`)), { error: hint })
    .min(1, { error: hint })
    .max(max, { error: hint })
    .readonly();
};

/** The VPC in which every function runs. What it must have: docs/company.md. */
export const networkSchema = object({
  /** Private subnets, with a way to Studio and the model's provider. */
  subnetIds: ids("subnet", 16),
  securityGroupIds: ids("sg", 5),
});
