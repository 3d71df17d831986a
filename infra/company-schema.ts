import * as z from "zod";
import { identifier, object, text } from "./schema-parts.ts";

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

/** For every role of the stack. */
export const iamSchema = object({
  /** A managed policy that limits what the roles may do. It must allow what they need: docs/company.md. */
  permissionsBoundaryArn: identifier(
    "Give the policy's complete ARN: arn:aws:iam::<account>:policy/<name>.",
    /^arn:aws[\w-]*:iam::(?:\d{12}|aws):policy\/[\w+=,.@/-]{1,512}$/,
  ).optional(),
  rolePath: text(
    "Give a path that begins and ends with a slash, like /runners/.",
    /^\/(?:[\w+=,.@-]+\/){0,10}$/,
  ).optional(),
});

/** Short enough for the longest name that CloudFormation takes: a role's, of 64 characters. */
export const namePrefix = () =>
  text(
    "Give 1 to 14 lower-case letters, digits and hyphens, a letter first, like acme-prod.",
    /^(?=.{1,14}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/,
  );
