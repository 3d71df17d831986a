import { Logger } from "@aws-lambda-powertools/logger";
import { MetricUnit, Metrics } from "@aws-lambda-powertools/metrics";
import { DynamoDBClient, GetItemCommand, QueryCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { Agent, fetch } from "undici";
import { z } from "zod";

/**
 * Shared by the plain bundles' handlers: the usual packages for such a job, imported as in their READMEs,
 * with nothing deferred. `cold` and `overhead` compare with these bundles; they are never deployed.
 */
const env = z
  .object({
    RUNNER_API_BASE: z.string(),
    RUNNER_RUN_STORE_TABLE: z.string(),
    RUNNER_KEY_SECRET: z.string(),
    RUNNER_POOL: z.string(),
    OPENAI_KEY_SECRET: z.string().default(""),
    OPENAI_BASE_URL: z.string().default(""),
    OPENAI_MODEL: z.string().default(""),
  })
  .parse(process.env);

const TableName = env.RUNNER_RUN_STORE_TABLE;
const dynamodb = new DynamoDBClient({});
const secretsManager = new SecretsManagerClient({});
const dispatcher = new Agent({ keepAliveTimeout: 10_000 });
export const logger = new Logger({ serviceName: "plain" });
const metrics = new Metrics({ namespace: "Plain" });
const secrets = new Map<string, string>();

export { env };

export async function secret(SecretId: string): Promise<string> {
  const known = secrets.get(SecretId);
  if (known !== undefined) return known;
  const { SecretString = "" } = await secretsManager.send(new GetSecretValueCommand({ SecretId }));
  secrets.set(SecretId, SecretString);
  return SecretString;
}

/** Calls Studio and validates the answer with the schema. */
export async function studio<T>(path: string, body: object, schema: z.ZodType<T>): Promise<T> {
  const response = await fetch(`${env.RUNNER_API_BASE}${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${await secret(env.RUNNER_KEY_SECRET)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
    dispatcher,
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return schema.parse(await response.json());
}

const keyOf = (id: string) => marshall({ pool: env.RUNNER_POOL, id });

export async function getItem(id: string): Promise<Record<string, unknown> | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName, Key: keyOf(id), ConsistentRead: true }),
  );
  return Item && unmarshall(Item);
}

/** Returns the item after the change. */
export async function setItem(
  id: string,
  values: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const names = Object.keys(values);
  const { Attributes = {} } = await dynamodb.send(
    new UpdateItemCommand({
      TableName,
      Key: keyOf(id),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(", ")}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: marshall(
        Object.fromEntries(names.map((name) => [`:${name}`, values[name]])),
      ),
      ReturnValues: "ALL_NEW",
    }),
  );
  return unmarshall(Attributes);
}

export async function openRuns(): Promise<number> {
  const { Count = 0 } = await dynamodb.send(
    new QueryCommand({
      TableName,
      IndexName: "open",
      KeyConditionExpression: "openIn = :pool",
      ExpressionAttributeValues: marshall({ ":pool": env.RUNNER_POOL }),
    }),
  );
  return Count;
}

export function log(event: string, fields: Record<string, string | number>): void {
  logger.info(event, fields);
}

export function count(name: string, value = 1): void {
  const single = metrics.singleMetric();
  single.addDimensions({ pool: env.RUNNER_POOL });
  single.addMetric(name, MetricUnit.Count, value);
}
