import type { Agent } from "node:http";
import {
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  paginateScan,
  ResourceNotFoundException,
  type AttributeValue,
  type KeySchemaElement,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
import type { Clock } from "../../lib/core/clock.ts";
import { CloudError } from "./errors.ts";
import type { KeyElement, TableIndex, TableResource } from "./resources.ts";

export interface TablesOptions {
  readonly clock: Clock;
  readonly region: string;
  /** For error messages. Undefined: in memory. */
  readonly folder: string | undefined;
  readonly tables: readonly TableResource[];
}

/**
 * Creates missing tables. Deletes rows whose time to live is over only now, at the start; DynamoDB promises
 * no more than "within a few days".
 * @throws CloudError if a kept table does not match the template
 */
export async function createTables(
  agent: Agent,
  { region, tables, clock, folder }: TablesOptions,
): Promise<void> {
  const client = new DynamoDBClient({
    endpoint: "http://localhost",
    region,
    credentials: { accessKeyId: "local", secretAccessKey: "local" }, // dynalite accepts any
    requestHandler: { httpAgent: agent },
    maxAttempts: 1,
  });
  try {
    for (const table of tables) {
      const existing = await describe(client, table.name);
      if (existing === undefined) await create(client, table, clock);
      else checkSame(table, existing, folder);
      await deleteExpired(client, table, clock.now());
    }
  } finally {
    client.destroy();
  }
}

async function describe(client: DynamoDBClient, name: string): Promise<TableDescription | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function create(client: DynamoDBClient, table: TableResource, clock: Clock): Promise<void> {
  const { globalIndexes, localIndexes } = table;
  await client.send(
    new CreateTableCommand({
      TableName: table.name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [...table.attributes],
      KeySchema: [...table.keys],
      ...(globalIndexes.length === 0 ? {} : { GlobalSecondaryIndexes: globalIndexes.map(indexOf) }),
      ...(localIndexes.length === 0 ? {} : { LocalSecondaryIndexes: localIndexes.map(indexOf) }),
    }),
  );
  while ((await describe(client, table.name))?.TableStatus !== "ACTIVE") await clock.sleep(5);
}

const indexOf = ({ IndexName, KeySchema, Projection }: TableIndex) => ({
  IndexName,
  KeySchema: [...KeySchema],
  Projection: {
    ProjectionType: Projection.ProjectionType,
    ...(Projection.NonKeyAttributes === undefined
      ? {}
      : { NonKeyAttributes: [...Projection.NonKeyAttributes] }),
  },
});

/** @throws CloudError if a kept table's keys or indexes differ from the template's */
function checkSame(table: TableResource, existing: TableDescription, folder: string | undefined): void {
  const wanted = shapeOf(table.keys, [...table.globalIndexes, ...table.localIndexes]);
  const { KeySchema, GlobalSecondaryIndexes = [], LocalSecondaryIndexes = [] } = existing;
  const found = shapeOf(KeySchema, [...GlobalSecondaryIndexes, ...LocalSecondaryIndexes]);
  if (wanted === found) return;
  throw new CloudError(
    `table ${table.name} in ${folder} was created for another template (${found}): delete the folder`,
  );
}

interface Index {
  readonly IndexName?: string | undefined;
  readonly KeySchema?: readonly KeySchemaElement[] | readonly KeyElement[] | undefined;
}

function shapeOf(keys: Index["KeySchema"], indexes: readonly Index[]): string {
  const names = indexes.map(({ IndexName, KeySchema }) => `${IndexName} (${keysOf(KeySchema)})`);
  return [keysOf(keys), ...names.toSorted()].join("; ");
}

const keysOf = (keys: Index["KeySchema"] = []): string =>
  keys.map(({ AttributeName, KeyType }) => `${AttributeName} ${KeyType}`).join(", ");

async function deleteExpired(client: DynamoDBClient, table: TableResource, nowMs: number): Promise<void> {
  const { name, keys, ttlAttribute } = table;
  if (ttlAttribute === undefined) return;
  const request = {
    TableName: name,
    FilterExpression: "#ttl < :now",
    ExpressionAttributeNames: { "#ttl": ttlAttribute },
    ExpressionAttributeValues: { ":now": { N: String(Math.floor(nowMs / 1000)) } },
  };
  for await (const page of paginateScan({ client }, request)) {
    for (const item of page.Items ?? []) {
      await client.send(new DeleteItemCommand({ TableName: name, Key: keyOf(item, keys) }));
    }
  }
}

function keyOf(
  item: Readonly<Record<string, AttributeValue>>,
  keys: readonly KeyElement[],
): Record<string, AttributeValue> {
  const names = keys.map(({ AttributeName }) => AttributeName);
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}
