import * as z from "zod";
import { pollingModes } from "../lib/core/options.ts";
import { timing } from "../lib/core/timing.ts";
import { concurrency, defaultConcurrency, kmsKeyArn } from "./company-schema.ts";
import { bounds } from "./relations.ts";
import { choice, object, secretArn, text, whole } from "./schema-parts.ts";

const memoryMb = () => whole(128, 10_240, " (MB)");

/** A function that mints and revokes runner keys with the account of a Studio user. */
export const rotationSchema = object({
  everyDays: whole(1, 1000, " (days)").optional().meta({
    description: "Days between scheduled rotations.",
    absent: "rotates only on request",
  }),
  accountKeySecretArn: secretArn().optional().meta({
    description: "An existing secret with the account's sign-in, `{ refreshToken, apiKey }`.",
    absent: "the stack creates an empty secret",
  }),
  accountKeySecretKmsKeyArn: kmsKeyArn().optional().meta({
    description: "The KMS key of the secret in `accountKeySecretArn`.",
    absent: "that of `encryption`",
  }),
});

/** The function that runs a job. */
export const processorSchema = object({
  memoryMb: memoryMb().default(256).describe("Memory of the processor, the function that runs a job."),
  timeoutSeconds: whole(1, bounds.maxTimeoutSeconds, " (seconds; Lambda allows no more)")
    .default(900)
    .describe("The longest that one attempt lasts. A longer job continues in another attempt."),
  reservedConcurrency: whole(1, 1000, " (invocations at once)").optional().meta({
    description:
      "Invocations that Lambda keeps free for this function and allows it at most; at least `concurrency`.",
    absent: "none",
  }),
});

/** The function that looks for jobs. */
export const dispatcherSchema = object({
  memoryMb: memoryMb()
    .default(150)
    .describe(
      "Memory of the dispatcher, the function that looks for jobs; with it comes its share of a CPU.",
    ),
  timeoutSeconds: whole(1, bounds.maxTimeoutSeconds, " (seconds)")
    .default(75)
    .describe("Time limit of the dispatcher; longer than the polling of one cycle."),
});

/** Limits of a daily cap, also for `set-cap` and `npm start`. */
export const capLimitsUsd = { min: 0.01, max: 1_000_000 } as const;
const capHint = `Give a number from ${capLimitsUsd.min} to ${capLimitsUsd.max} (US dollars per day).`;

export const poolSchema = object({
  name: text(
    "Give a name of 1 to 20 lower-case letters, digits and hyphens, like europe-2.",
    /^(?=.{1,20}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/,
  ).describe(
    "The pool's name, also the dimension of its metrics: give it once per account and region, across stacks too.",
  ),
  kind: choice(["user", "global"]).describe(
    "Whose jobs the pool's keys lease: `user`, those of the user who made the keys; `global`, everyone's (administrators only).",
  ),
  polling: choice(pollingModes)
    .default("balanced")
    .describe("How often the dispatcher asks Studio for work; see the table of polling modes."),
  concurrency: concurrency()
    .default(defaultConcurrency)
    .describe("The maximum number of runs in flight. `set-concurrency` changes it without a deploy."),
  leasesPerKey: whole(1, 1000, " (leases per runner key)").optional().meta({
    description: "The maximum number of leases that one runner key holds at once.",
    absent: "no limit",
  }),
  dailyCapUsd: z
    .number({ error: capHint })
    .min(capLimitsUsd.min, { error: capHint })
    .max(capLimitsUsd.max, { error: capHint })
    .optional()
    .meta({
      description:
        "Estimated spending on the model per UTC day at which leasing stops; running jobs continue. `set-cap` changes it without a deploy.",
      absent: "no cap",
    }),
  runLimitMinutes: whole(1, 720, " (minutes)")
    .default(timing.runLimitMs / 60_000)
    .describe(
      "A run that lasts longer fails with that reason. At most 190 with the processor's default timeout.",
    ),
  keySecretArn: secretArn().optional().meta({
    description: "An existing secret with the pool's runner keys.",
    absent: "the stack creates an empty secret",
  }),
  keySecretKmsKeyArn: kmsKeyArn().optional().meta({
    description: "The KMS key of the secret in `keySecretArn`.",
    absent: "that of `encryption`",
  }),
  rotation: rotationSchema.optional().meta({
    description: "Creates the rotator, which replaces runner keys. `{}` rotates only on request.",
    absent: "no rotator",
  }),
  processor: processorSchema.prefault({}),
  dispatcher: dispatcherSchema.prefault({}),
});
