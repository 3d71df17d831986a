import * as z from "zod";
import { timing } from "../lib/core/timing.ts";
import { bounds } from "./relations.ts";
import { identifier, object, text, whole } from "./schema-parts.ts";

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
    .refine((given) => new Set(given).size === given.length, { error: "Give each id once." })
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

export const topicArn = () =>
  identifier(
    "Give the complete ARN of a standard topic: arn:aws:sns:<region>:<account>:<name>.",
    /^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]{1,256}$/,
  );

/** Percent of the lease that is left when an event has waited for the maximum time. */
export const leaseFloorPercent = 100 * (1 - timing.maxEventAgeMs / bounds.studioLeaseMs);

/** When alarms fire. The other alarms fire at the first event, or follow the daily cap. */
export const thresholdsSchema = object({
  noGoodPollCycles: whole(1, 60, " (dispatch cycles in a row, one a minute)").default(5),
  /** Absent: a tenth of the pool's concurrency, at least 2. */
  lostLeases: whole(1, 100_000, " (lost runs in 15 minutes)").optional(),
  /** Absent: a fifth of the pool's concurrency, at least 3. */
  restarts: whole(1, 100_000, " (restarts in 15 minutes)").optional(),
  leaseLeftPercent: whole(1, 99, " (percent of the lease)").default(leaseFloorPercent),
  runTimePercent: whole(1, 100, " (percent of runLimitMinutes)").default(80),
  dispatcherErrors: whole(1, 5, " (errors in 5 minutes, of at most 5 cycles)").default(3),
});

export const defaultFailurePercent = 20;
export const defaultConcurrency = 10;
export const concurrency = () => whole(1, 1000, " (runs at once)");

/** The classes of CloudWatch's log groups. A log group keeps the class with which it was created. */
export const logClasses = ["standard", "infrequent-access"] as const;
