import { RetentionDays } from "aws-cdk-lib/aws-logs";
import * as z from "zod";
import { maxPreviewCharacters } from "../lib/core/config.ts";
import {
  defaultFailurePercent,
  encryptionSchema,
  iamSchema,
  logClasses,
  namePrefix,
  networkSchema,
  thresholdsSchema,
  topicArn,
} from "./company-schema.ts";
import { inferenceSchema, spendSchema } from "./inference-schema.ts";
import { poolSchema } from "./pool-schema.ts";
import { baseUrl, choice, isSafelyReached, object, tableArn, text, whole } from "./schema-parts.ts";

/**
 * Every setting of cdk.json. `.describe()` and `.meta()` say what a setting means, and `absent` what applies without it:
 * docs/settings.md and the library's reference are written from them.
 */

/** CloudWatch Logs accepts these numbers of days only. */
const logRetention = () => {
  const days = Object.values(RetentionDays).filter((value) => typeof value === "number");
  const hint = `Give one of: ${days.filter((value) => value !== RetentionDays.INFINITE).join(", ")} (days).`;
  return z
    .enum(RetentionDays, { error: hint })
    .refine((value) => value !== RetentionDays.INFINITE, { error: hint });
};

export const studioSchema = object({
  baseUrl: baseUrl().default("https://cloud.xenonflare.com").describe("Studio's address."),
  signInUrl: baseUrl()
    .default("https://securetoken.googleapis.com")
    .describe("Where the rotator signs in (Firebase)."),
});

/** What each level creates and costs: infra/monitoring/levels.ts. */
export const monitoringLevels = ["full", "lean", "off"] as const;

export const monitoringSchema = object({
  level: choice(monitoringLevels)
    .default("full")
    .describe(
      "`full`: dashboards, all alarms, and one that pages; `lean`: four alarms that page; `off`: none.",
    ),
  email: text("Give an e-mail address.", /^[^\s@]+@[^\s@]+\.[^\s@]+$/)
    .optional()
    .meta({
      description: "Receives the alarms, once its owner has confirmed the subscription.",
      absent: "none",
    }),
  failurePercent: whole(1, 100, " (percent of the runs that ended)")
    .default(defaultFailurePercent)
    .describe("The percentage of failed runs that raises the alarm FailureRate."),
  topicArn: topicArn().optional().meta({
    description: "An existing SNS topic that receives the alarms.",
    absent: "the stack creates a topic",
  }),
  thresholds: thresholdsSchema.prefault({}),
  tracing: choice(["off", "xray"]).default("off").describe("`xray` traces every function."),
  previewCharacters: whole(0, maxPreviewCharacters, " (characters of a job's newest message in the log)")
    .default(0)
    .describe("The number of characters of a job's newest message to log; 0 logs none."),
});

/** The AWS endpoints that every function uses. */
export const endpointsSchema = object({
  fips: z
    .boolean({ error: "Give true or false." })
    .default(false)
    .describe("Endpoints with validated cryptography (FIPS 140-3): USA, Canada and GovCloud only."),
  dualStack: z
    .boolean({ error: "Give true or false." })
    .default(false)
    .describe("Endpoints that also answer over IPv6."),
});

const feedHint = "Give an https:// address (http:// only for this machine).";

/** Allows a query, but no user name or password. */
export function isFeedUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || /\s/.test(value) || url.username !== "" || url.password !== "") return false;
  return isSafelyReached(url);
}

export const updatesSchema = object({
  feedUrl: z
    .string({ error: feedHint })
    .refine(isFeedUrl, { error: feedHint })
    .meta({ description: "Where `check-update` looks for releases.", absent: "it is off" }),
});

/** What every AWS service takes. */
const tagCharacters = "letters, digits, spaces and _ . : / = + - @";
const tagName = /^(?!aws:)(?=\S.{0,127}$)[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/iu;
const tagText = text(
  `Give a text of 1 to 256 ${tagCharacters}.`,
  /^(?=.{1,256}$)(?=\S)[\p{L}\p{Z}\p{N}_.:/=+\-@]*(?<=\S)$/u,
);
const tags = z
  .record(z.string(), tagText, { error: "Give an object of tag names and texts." })
  .check(({ value, issues }) => {
    const wrong = Object.keys(value).filter((name) => !tagName.test(name));
    const message = `Give tags names of 1 to 128 ${tagCharacters} that do not begin with aws:.`;
    issues.push(...wrong.map((name) => ({ code: "custom" as const, path: [name], input: value, message })));
  })
  .refine((given) => Object.keys(given).length <= 50, {
    error: "Give at most 50 tags; a resource holds no more.",
  });

export const stackNameSchema = text(
  "Give a CloudFormation stack name: letters, digits and hyphens, a letter first.",
  /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
);

export const settingsSchema = object({
  stackName: stackNameSchema.default("StudioRunner").describe("The name of the CloudFormation stack."),
  studio: studioSchema.prefault({}),
  inference: inferenceSchema.prefault({}),
  spend: spendSchema.prefault({}),
  pools: z
    .array(poolSchema, { error: "Give a list of pools." })
    .min(1, { error: "Give at least one pool." })
    // CloudFormation allows 500 resources and 200 outputs per stack; a pool has 21 to 59, and 15 to 18.
    .max(10, { error: "Give at most 10 pools; a stack holds no more. Put the others into a second stack." })
    .readonly()
    .prefault([{ name: "default", kind: "user" }]),
  runStoreTableArn: tableArn().optional().meta({
    description:
      "An existing table for the run store: keys `pool` and `id` (strings), TTL attribute `expiresAtSeconds`, index `open`.",
    absent: "the stack creates a table",
  }),
  encryption: encryptionSchema.prefault({}),
  network: networkSchema.optional(),
  iam: iamSchema.prefault({}),
  namePrefix: namePrefix().optional().meta({
    description: "What the name of every resource begins with, such as `acme-prod`.",
    absent: "CloudFormation makes the names",
  }),
  endpoints: endpointsSchema.prefault({}),
  logRetentionDays: logRetention()
    .default(RetentionDays.ONE_MONTH)
    .describe("How long CloudWatch keeps log lines."),
  logClass: choice(logClasses)
    .default("standard")
    .describe(
      "`infrequent-access` costs half, has no metrics, requires `monitoring.level` `off`, and cannot be read by this project's commands.",
    ),
  logLevel: choice(["trace", "debug", "info", "warn", "error", "fatal"])
    .default("info")
    .describe("The least important log lines that are written."),
  removalPolicy: choice(["destroy", "retain"])
    .default("retain")
    .describe("What happens to the run store when the stack is deleted."),
  monitoring: monitoringSchema.prefault({}),
  updates: updatesSchema.optional(),
  tags: tags.prefault({}).meta({ description: "Tags of every resource, at most 50.", absent: "none" }),
});
