import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type DynamoDBClientConfig,
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { RunnerError } from "./errors.ts";

export type Item = Readonly<Record<string, unknown>>;
export interface ItemKey {
  readonly pool: string;
  readonly id: string;
}

/** An expression over `#name` (an attribute of that name) and `:name` (a value of `values`). */
export interface Expression {
  readonly text: string;
  readonly values: Item;
}

export interface Update {
  readonly set: Item;
  readonly remove?: readonly string[];
  readonly condition: Expression;
}

export interface Query {
  readonly index?: string;
  readonly where: Expression;
}

/**
 * One DynamoDB table with single-item conditional writes: all that the ledger needs. `signal` cuts a call off.
 * @throws RunnerError `ledger_unavailable`, retryable when trying again can help; or the signal's reason
 */
export interface Table {
  get(key: ItemKey, signal?: AbortSignal): Promise<Item | undefined>;
  /** `false`: the condition does not hold. */
  put(item: Item & ItemKey, condition: Expression | undefined, signal?: AbortSignal): Promise<boolean>;
  /** The item after the update; `undefined`: the condition does not hold. */
  update(key: ItemKey, update: Update, signal?: AbortSignal): Promise<Item | undefined>;
  /** `false`: the condition does not hold. */
  remove(key: ItemKey, condition: Expression, signal?: AbortSignal): Promise<boolean>;
  query(query: Query, signal?: AbortSignal): Promise<readonly Item[]>;
}

/** The SDK repeats throttles and network faults itself, with these attempts; a conditional write is safe to repeat. */
const clientDefaults: DynamoDBClientConfig = {
  maxAttempts: 5,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 },
};

export function createTable(tableName: string, config: DynamoDBClientConfig = {}): Table {
  const client = new DynamoDBClient({ ...clientDefaults, ...config });
  const TableName = tableName;

  return {
    get: (key, signal) =>
      guard(signal, async () => {
        const command = new GetItemCommand({ TableName, Key: marshall(key), ConsistentRead: true });
        const { Item } = await client.send(command, sendOptions(signal));
        return Item && unmarshall(Item);
      }),

    put: (item, condition, signal) =>
      guard(signal, () => {
        const Item = marshall(item, { removeUndefinedValues: true });
        const command = new PutItemCommand({ TableName, Item, ...conditional(condition) });
        return holds(client.send(command, sendOptions(signal)));
      }),

    update: (key, update, signal) =>
      guard(signal, async () => {
        const input = {
          TableName,
          Key: marshall(key),
          ReturnValues: "ALL_NEW" as const,
          ...updateExpression(update),
        };
        const answer = await ifHolds(client.send(new UpdateItemCommand(input), sendOptions(signal)));
        return answer?.Attributes && unmarshall(answer.Attributes);
      }),

    remove: (key, condition, signal) =>
      guard(signal, () => {
        const command = new DeleteItemCommand({ TableName, Key: marshall(key), ...conditional(condition) });
        return holds(client.send(command, sendOptions(signal)));
      }),

    query: (query, signal) =>
      guard(signal, () => queryAll(client, { TableName, query, options: sendOptions(signal) })),
  };
}

function sendOptions(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** The answer of a conditional write; `undefined` when its condition does not hold. */
async function ifHolds<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

async function holds(answer: Promise<unknown>): Promise<boolean> {
  return (await ifHolds(answer)) !== undefined;
}

async function queryAll(
  client: DynamoDBClient,
  call: {
    readonly TableName: string;
    readonly query: Query;
    readonly options: { readonly abortSignal?: AbortSignal };
  },
): Promise<readonly Item[]> {
  const { index, where } = call.query;
  const items: Item[] = [];
  let ExclusiveStartKey: QueryCommand["input"]["ExclusiveStartKey"];
  do {
    const command = new QueryCommand({
      TableName: call.TableName,
      ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
      KeyConditionExpression: where.text,
      ExpressionAttributeNames: attributeNames(where.text),
      ExpressionAttributeValues: attributeValues(where.values),
      ExclusiveStartKey,
    });
    const page = await client.send(command, call.options);
    for (const item of page.Items ?? []) items.push(unmarshall(item));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return items;
}

function updateExpression({ set, remove = [], condition }: Update) {
  const assigned = Object.entries(set).filter(([, value]) => value !== undefined);
  const sets = assigned.map(([name]) => `#${name} = :set_${name}`);
  const removes = remove.map((name) => `#${name}`);
  const text = [
    sets.length > 0 ? `SET ${sets.join(", ")}` : "",
    removes.length > 0 ? `REMOVE ${removes.join(", ")}` : "",
  ].join(" ");
  const values = Object.fromEntries(assigned.map(([name, value]) => [`set_${name}`, value]));
  return {
    UpdateExpression: text.trim(),
    ConditionExpression: condition.text,
    ExpressionAttributeNames: attributeNames(`${text} ${condition.text}`),
    ExpressionAttributeValues: attributeValues({ ...values, ...condition.values }),
  };
}

function conditional(condition: Expression | undefined) {
  if (!condition) return {};
  const values = attributeValues(condition.values);
  return {
    ConditionExpression: condition.text,
    ExpressionAttributeNames: attributeNames(condition.text),
    ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: values } : {}),
  };
}

function attributeNames(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/#(\w+)/g)].map(([placeholder, name = ""]) => [placeholder, name]),
  );
}

function attributeValues(values: Item) {
  return marshall(Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])));
}

/** Faults of the exchange that more time can heal; everything else (no such table, no permission) stays broken. */
const permanentFaults: readonly string[] = [
  "ResourceNotFoundException",
  "AccessDeniedException",
  "UnrecognizedClientException",
  "ValidationException",
];

async function guard<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    const retryable = !permanentFaults.includes(error.name);
    throw new RunnerError(
      "ledger_unavailable",
      `the ledger did not answer: ${error.name}: ${error.message}`,
      {
        retryable,
        cause: error,
      },
    );
  }
}
