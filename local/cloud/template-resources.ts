import { existsSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import * as z from "zod";
import { TemplateError } from "./errors.ts";
import type { Identity } from "./identity.ts";
import { labelOf } from "./resources.ts";
import type {
  AsyncInvoke,
  FunctionResource,
  QueueResource,
  RotationResource,
  ScheduleResource,
  SecretResource,
  TableResource,
} from "./resources.ts";

/**
 * One resource of the template. Properties are resolved when they are read, so that unsupported ones do no
 * harm.
 */
export interface Source {
  readonly logicalId: string;
  /** The folder of the assets. */
  readonly folder: string;
  readonly identity: Identity | undefined;
  /** `path`: "Timeout", or a path into an object: "Target.Arn". */
  property(path: string): unknown;
}

export interface EventInvokeConfig {
  readonly functionName: string;
  readonly asyncInvoke: AsyncInvoke;
}

const number = z.coerce.number();
const looseSchema = z.record(z.string(), z.unknown());

/** Lambda's defaults: 2 retries within 6 hours. */
const defaultAsyncInvoke: AsyncInvoke = { maxRetries: 2, maxAgeMs: 21_600_000, onFailureArn: undefined };

/** @throws TemplateError that names the resource and its property */
export function read<T>(source: Source, key: string, schema: z.ZodType<T>): T {
  const result = schema.safeParse(source.property(key));
  if (result.success) return result.data;
  throw new TemplateError(`${source.logicalId}, ${key}: ${z.prettifyError(result.error)}`);
}

/** @throws TemplateError */
export function identityOf({ identity, logicalId }: Source): Identity {
  if (identity === undefined) throw new TemplateError(`${logicalId}: has no name or ARN here`);
  return identity;
}

const codeSchema = z.object({ S3Key: z.string() });
const environmentSchema = z
  .object({ Variables: z.record(z.string(), z.coerce.string()).default({}) })
  .default({ Variables: {} });
const loggingSchema = z
  .object({
    LogFormat: z.enum(["JSON", "Text"]).default("Text"),
    ApplicationLogLevel: z.string().optional(),
    LogGroup: z.string().optional(),
  })
  .default({ LogFormat: "Text" });

/** Undefined for functions with another runtime (CDK's own helpers), which are never invoked here. */
export function functionOf(source: Source): FunctionResource | undefined {
  if (!read(source, "Runtime", z.string().default("")).startsWith("nodejs")) return undefined;
  const { logicalId } = source;
  const { name, arn } = identityOf(source);
  const label = labelOf(logicalId);
  const logging = read(source, "LoggingConfig", loggingSchema);
  return {
    logicalId,
    name,
    arn,
    label,
    title: `studio-runner ${label}`,
    handler: read(source, "Handler", z.string()),
    codeFolder: codeFolderOf(source),
    timeoutMs: read(source, "Timeout", number.default(3)) * 1000,
    memoryMb: read(source, "MemorySize", number.default(128)),
    variables: read(source, "Environment", environmentSchema).Variables,
    log: {
      format: logging.LogFormat,
      level: logging.ApplicationLogLevel,
      group: logging.LogGroup ?? `/aws/lambda/${name}`,
    },
    reservedConcurrency: read(source, "ReservedConcurrentExecutions", number.optional()),
    mayRecurse: read(source, "RecursiveLoop", z.string().optional()) === "Allow",
    asyncInvoke: defaultAsyncInvoke,
  };
}

function codeFolderOf(source: Source): string {
  const { S3Key: key } = read(source, "Code", codeSchema);
  const folder = join(source.folder, `asset.${key.replace(/^.*\//, "").replace(/\.zip$/, "")}`);
  if (!existsSync(folder))
    throw new TemplateError(`${source.logicalId}, Code: the asset ${folder} is missing: synthesize again`);
  return folder;
}

const destinationSchema = z
  .object({
    OnFailure: z.object({ Destination: z.string().optional() }).optional(),
    OnSuccess: z.undefined("on-success destinations do not run locally").optional(),
  })
  .default({});

export function eventInvokeConfigOf(source: Source): EventInvokeConfig {
  read(source, "Qualifier", z.literal("$LATEST", "versions and aliases do not run locally"));
  const onFailureArn = read(source, "DestinationConfig", destinationSchema).OnFailure?.Destination;
  return {
    functionName: read(source, "FunctionName", z.string()),
    asyncInvoke: {
      maxRetries: read(source, "MaximumRetryAttempts", number.default(defaultAsyncInvoke.maxRetries)),
      maxAgeMs:
        read(source, "MaximumEventAgeInSeconds", number.default(defaultAsyncInvoke.maxAgeMs / 1000)) * 1000,
      onFailureArn,
    },
  };
}

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(["HASH", "RANGE"]) }));
const indexSchema = z
  .array(
    z.object({
      IndexName: z.string(),
      KeySchema: keySchema,
      Projection: z.object({
        ProjectionType: z.enum(["ALL", "KEYS_ONLY", "INCLUDE"]).optional(),
        NonKeyAttributes: z.array(z.string()).optional(),
      }),
    }),
  )
  .default([]);
const attributesSchema = z.array(
  z.object({ AttributeName: z.string(), AttributeType: z.enum(["S", "N", "B"]) }),
);
const ttlSchema = z.object({ AttributeName: z.string().optional(), Enabled: z.boolean() }).optional();

export function tableOf(source: Source): TableResource {
  const ttl = read(source, "TimeToLiveSpecification", ttlSchema);
  return {
    logicalId: source.logicalId,
    name: identityOf(source).name,
    attributes: read(source, "AttributeDefinitions", attributesSchema),
    keys: read(source, "KeySchema", keySchema),
    globalIndexes: read(source, "GlobalSecondaryIndexes", indexSchema),
    localIndexes: read(source, "LocalSecondaryIndexes", indexSchema),
    ttlAttribute: ttl?.Enabled === true ? ttl.AttributeName : undefined,
  };
}

const generateSchema = z
  .object({
    SecretStringTemplate: z.string().optional(),
    GenerateStringKey: z.string().optional(),
    PasswordLength: number.default(32),
  })
  .optional();

export function secretOf(source: Source): SecretResource {
  const { name, arn } = identityOf(source);
  const literal = read(source, "SecretString", z.string().optional());
  const generate = read(source, "GenerateSecretString", generateSchema);
  const password =
    generate && randomBytes(generate.PasswordLength).toString("base64url").slice(0, generate.PasswordLength);
  const key = generate?.GenerateStringKey;
  const generated =
    key === undefined
      ? password
      : JSON.stringify({
          ...looseSchema.parse(JSON.parse(generate?.SecretStringTemplate ?? "{}")),
          [key]: password,
        });
  return { logicalId: source.logicalId, name, arn, initialValue: literal ?? generated };
}

export function scheduleOf(source: Source): ScheduleResource {
  const expression = read(source, "ScheduleExpression", z.string());
  return {
    logicalId: source.logicalId,
    ...nameOf(source),
    expression,
    intervalMs: intervalOf(expression),
    enabled: read(source, "State", z.string().default("ENABLED")) === "ENABLED",
    flexibleTimeWindow: read(source, "FlexibleTimeWindow", looseSchema.default({ Mode: "OFF" })),
    retryPolicy: read(source, "Target.RetryPolicy", looseSchema.optional()),
    targetArn: read(source, "Target.Arn", z.string()),
    input: read(source, "Target.Input", z.string().optional()),
  };
}

const unitsMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** "rate(5 minutes)" → 300000. */
function intervalOf(expression: string): number | undefined {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const unitMs = unitsMs[unit ?? ""];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

export function queueOf(source: Source): QueueResource {
  return {
    logicalId: source.logicalId,
    ...nameOf(source),
    url: identityOf(source).ref,
    visibilityMs: read(source, "VisibilityTimeout", number.default(30)) * 1_000,
  };
}

const nameOf = (source: Source): { readonly name: string; readonly arn: string } => {
  const { name, arn } = identityOf(source);
  return { name, arn };
};

export const logGroupOf = (source: Source): string => identityOf(source).name;

const rotationRulesSchema = z
  .object({ AutomaticallyAfterDays: number.optional(), ScheduleExpression: z.string().optional() })
  .optional();

export function rotationOf(source: Source): RotationResource {
  return {
    secretId: read(source, "SecretId", z.string()),
    functionArn: read(source, "RotationLambdaARN", z.string().optional()),
    rules: read(source, "RotationRules", rotationRulesSchema),
  };
}
