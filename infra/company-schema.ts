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

const keyFor = (what: string) =>
  kmsKeyArn()
    .optional()
    .meta({ description: `The KMS key of ${what}.`, absent: "`keyArn`" });

/**
 * Customer-managed KMS keys. What a key's policy must allow: docs/company.md. A table that you bring keeps
 * its encryption; the key then says which one the functions may use.
 */
export const encryptionSchema = object({
  keyArn: kmsKeyArn().optional().meta({
    description: "A customer-managed KMS key for everything that has no key of its own below.",
    absent: "AWS's own encryption",
  }),
  tableKeyArn: keyFor("the run store"),
  secretsKeyArn: keyFor("the secrets"),
  logsKeyArn: keyFor("the log groups"),
  topicKeyArn: keyFor("the alarms' topic"),
  queueKeyArn: keyFor("the dead-letter queue"),
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
  subnetIds: ids("subnet", 16).describe("Private subnets, with a way to Studio and the model's provider."),
  securityGroupIds: ids("sg", 5).describe("The functions' security groups."),
});

/** For every role of the stack. */
export const iamSchema = object({
  permissionsBoundaryArn: identifier(
    "Give the policy's complete ARN: arn:aws:iam::<account>:policy/<name>.",
    /^arn:aws[\w-]*:iam::(?:\d{12}|aws):policy\/[\w+=,.@/-]{1,512}$/,
  )
    .optional()
    .meta({
      description: "A managed policy that limits what the roles may do. It must allow what they need.",
      absent: "none",
    }),
  rolePath: text(
    "Give a path that begins and ends with a slash, like /runners/.",
    /^\/(?:[\w+=,.@-]+\/){0,10}$/,
  )
    .optional()
    .meta({ description: "The path of every role.", absent: "`/`" }),
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
  noGoodPollCycles: whole(1, 60, " (dispatch cycles in a row, one a minute)")
    .default(5)
    .describe("NoGoodPoll: cycles in a row without a good poll."),
  lostLeases: whole(1, 100_000, " (lost runs in 15 minutes)").optional().meta({
    description: "LostLeases: lost runs in 15 minutes.",
    absent: "a tenth of `concurrency`, at least 2",
  }),
  restarts: whole(1, 100_000, " (restarts in 15 minutes)").optional().meta({
    description: "Restarts: restarts in 15 minutes.",
    absent: "a fifth of `concurrency`, at least 3",
  }),
  leaseLeftPercent: whole(1, 99, " (percent of the lease)")
    .default(leaseFloorPercent)
    .describe("LeaseNearlyGone: percentage of the lease that is left when an attempt starts."),
  runTimePercent: whole(1, 100, " (percent of runLimitMinutes)")
    .default(80)
    .describe("RunTimeNearLimit: run time as a percentage of `runLimitMinutes`."),
  dispatcherErrors: whole(1, 5, " (errors in 5 minutes, of at most 5 cycles)")
    .default(3)
    .describe("DispatcherErrors: failed cycles in 5 minutes."),
});

export const defaultFailurePercent = 20;
export const defaultConcurrency = 10;
export const concurrency = () => whole(1, 1000, " (runs at once)");

/** The classes of CloudWatch's log groups. A log group keeps the class with which it was created. */
export const logClasses = ["standard", "infrequent-access"] as const;
