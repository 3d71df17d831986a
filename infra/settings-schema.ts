import { Token } from "aws-cdk-lib";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import * as z from "zod";
import { pickupModes } from "../lib/dispatch/pickup.ts";
import { generationModes } from "../lib/inference/model.ts";
import { timing } from "../lib/timing.ts";
import { bounds } from "./relations.ts";

const text = (hint: string, pattern: RegExp = /^\S(?:.*\S)?$/) =>
  z.string({ error: hint }).regex(pattern, { error: hint });

const whole = (min: number, max: number, unit = "") => {
  const hint = `Give a whole number from ${min} to ${max}${unit}.`;
  return z.int({ error: hint }).min(min, { error: hint }).max(max, { error: hint });
};

const choice = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `Give one of: ${values.join(", ")}.` });

const object = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? undefined : "Give an object."),
  });

const loopbackHosts: readonly string[] = ["127.0.0.1", "[::1]", "localhost"];
const baseUrl = () => {
  const hint =
    "Give an https:// address without query, user or trailing slash (http:// only for this machine).";
  return z.string({ error: hint }).refine(isBaseUrl, { error: hint });
};

function isBaseUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || value.endsWith("/") || url.search || url.hash || url.username || url.password)
    return false;
  return url.protocol === "https:" || (url.protocol === "http:" && loopbackHosts.includes(url.hostname));
}

/** A whole ARN, or a reference to one in the same CDK app. */
const arn = (hint: string, pattern: RegExp) =>
  z
    .string({ error: hint })
    .refine((value) => Token.isUnresolved(value) || pattern.test(value), { error: hint });

/** Whole, with the suffix that Secrets Manager appends: a role then names one secret, without a wildcard. */
const secretArn = () =>
  arn(
    "Give the secret's whole ARN, with its six last characters: arn:aws:secretsmanager:<region>:<account>:secret:<name>-AbCdEf.",
    /^arn:aws[\w-]*:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/,
  );

const tableArn = () =>
  arn(
    "Give the table's whole ARN: arn:aws:dynamodb:<region>:<account>:table/<name>.",
    /^arn:aws[\w-]*:dynamodb:[\w-]+:\d{12}:table\/[\w.-]{3,255}$/,
  );

const memoryMb = () => whole(128, 10_240, " (MB)");

/** CloudWatch Logs takes no other numbers. */
const logRetention = () => {
  const days = Object.values(RetentionDays).filter((value) => typeof value === "number");
  const hint = `Give one of: ${days.filter((value) => value !== RetentionDays.INFINITE).join(", ")} (days).`;
  return z
    .enum(RetentionDays, { error: hint })
    .refine((value) => value !== RetentionDays.INFINITE, { error: hint });
};

const model = () => text("Give a model's name.", /^\S{1,100}$/);

export const studioSchema = object({ baseUrl: baseUrl().default("https://cloud.xenonflare.com") });

export const inferenceSchema = object({
  model: model().default("gpt-6-luna"),
  /** Of prior histories; absent: `model`. */
  summaryModel: model().optional(),
  /** Absent: the OpenAI SDK's own. */
  baseUrl: baseUrl().optional(),
  /** How a round is asked: see generationModes. */
  mode: choice(generationModes).default("auto"),
  /** `false` for zero-retention projects: a restarted leg then starts over. */
  store: z.boolean({ error: "Give true or false." }).default(true),
  /** Absent: the stack creates an empty secret. */
  keySecretArn: secretArn().optional(),
});

export const processorSchema = object({
  memoryMb: memoryMb().default(512),
  timeoutSeconds: whole(1, bounds.maxTimeoutSeconds, " (seconds; Lambda allows no more)").default(900),
});

export const dispatcherSchema = object({
  memoryMb: memoryMb().default(256),
  timeoutSeconds: whole(1, bounds.maxTimeoutSeconds, " (seconds)").default(75),
});

export const poolSchema = object({
  name: text(
    "Give a name of 1 to 20 lower-case letters, digits and hyphens, like europe-2.",
    /^(?=.{1,20}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/,
  ),
  kind: choice(["user", "global"]),
  pickup: choice(pickupModes).default("balanced"),
  concurrency: whole(1, 1000, " (runs at once)").default(10),
  /** Leases that one runner key may hold at once; absent: no cap. */
  leasesPerKey: whole(1, 1000, " (leases per runner key)").optional(),
  /** A run that lasts longer fails, saying so. */
  runLimitMinutes: whole(1, 720, " (minutes)").default(timing.runLimitMs / 60_000),
  /** Absent: the stack creates an empty secret. */
  keySecretArn: secretArn().optional(),
  processor: processorSchema.prefault({}),
  dispatcher: dispatcherSchema.prefault({}),
});

const tags = z
  .record(z.string(), text("Give a text of 1 to 256 characters.", /^(?=.{1,256}$)\S(?:.*\S)?$/), {
    error: "Give an object of tag names and texts.",
  })
  .refine((given) => Object.keys(given).every((name) => /^(?!aws:)\S.{0,127}$/i.test(name)), {
    error: "Give tag names of 1 to 128 characters that do not begin with aws:.",
  });

export const settingsSchema = object({
  stackName: text(
    "Give a CloudFormation stack name: letters, digits and hyphens, a letter first.",
    /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
  ).default("StudioRunner"),
  studio: studioSchema.prefault({}),
  inference: inferenceSchema.prefault({}),
  pools: z
    .array(poolSchema, { error: "Give a list of pools." })
    .min(1, { error: "Give at least one pool." })
    .readonly()
    .prefault([{ name: "default", kind: "user" }]),
  /** An existing table in place of our own: keys `pool` and `id` (S), TTL `expiresAtSeconds`, index `open`. */
  ledgerTableArn: tableArn().optional(),
  logRetentionDays: logRetention().default(RetentionDays.ONE_MONTH),
  logLevel: choice(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  /** Of the ledger. */
  removalPolicy: choice(["destroy", "retain"]).default("retain"),
  tags: tags.prefault({}),
});
