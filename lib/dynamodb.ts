import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type DynamoDBClientConfig,
  type QueryCommandInput,
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import { systemClock, withTimeLimit, type Clock } from "./clock.ts";
import { RunnerError } from "./errors.ts";
import { timing } from "./timing.ts";

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
  readonly set?: Item;
  readonly remove?: readonly string[];
  /** Atomically: what is there plus this, from 0. A lost answer may make the SDK add twice, unless the condition stops it. */
  readonly add?: Readonly<Record<string, number>>;
  readonly condition?: Expression;
}

export interface Query {
  readonly index?: string;
  /** Over the keys. */
  readonly where: Expression;
  /** Over other attributes: what does not match is read all the same, and paid for. */
  readonly filter?: Expression;
  /** Last key first. */
  readonly newestFirst?: boolean;
  /** Items at most. */
  readonly limit?: number;
  /** Begins behind this key. */
  readonly after?: ItemKey;
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
  query(query: Query, signal?: AbortSignal): Promise<readonly Item[]>;
}

/**
 * The SDK repeats throttles and network faults itself, with these attempts, until `timing.ledgerLimitMs` is over; a
 * conditional write is safe to repeat.
 */
const clientDefaults: DynamoDBClientConfig = {
  maxAttempts: 5,
  requestHandler: { connectionTimeout: 1_500, requestTimeout: 1_500, throwOnRequestTimeout: true },
};

export interface TableOptions extends DynamoDBClientConfig {
  /** Told of each call that DynamoDB throttled, repetitions too. */
  readonly onThrottled?: () => void;
  /** Times the calls. */
  readonly clock?: Clock;
}

export function createTable(
  tableName: string,
  { onThrottled, clock = systemClock, ...config }: TableOptions = {},
): Table {
  const client = new DynamoDBClient({ ...clientDefaults, ...config });
  if (onThrottled) tellOfThrottles(client, onThrottled);
  const TableName = tableName;
  const limitedBy =
    (signal: AbortSignal | undefined): Limited =>
    (send) => {
      const outer = signal === undefined ? {} : { signal };
      const limit = { clock, limitMs: timing.ledgerLimitMs, what: "the call", ...outer };
      return withTimeLimit(limit, (abortSignal) => send({ abortSignal }));
    };

  return {
    get: (key, signal) =>
      guard(signal, async () => {
        const command = new GetItemCommand({ TableName, Key: marshall(key), ConsistentRead: true });
        const { Item } = await limitedBy(signal)((options) => client.send(command, options));
        return Item && unmarshall(Item);
      }),

    put: (item, condition, signal) =>
      guard(signal, () => {
        const Item = marshall(item, { removeUndefinedValues: true });
        const command = new PutItemCommand({ TableName, Item, ...conditional(condition) });
        return holds(limitedBy(signal)((options) => client.send(command, options)));
      }),

    update: (key, update, signal) =>
      guard(signal, async () => {
        const input = {
          TableName,
          Key: marshall(key),
          ReturnValues: "ALL_NEW" as const,
          ...updateExpression(update),
        };
        const command = new UpdateItemCommand(input);
        const answer = await ifHolds(limitedBy(signal)((options) => client.send(command, options)));
        return answer?.Attributes && unmarshall(answer.Attributes);
      }),

    query: (query, signal) =>
      guard(signal, () => queryAll(client, { TableName, query, limited: limitedBy(signal) })),
  };
}

/** Sends one request within the time limit. */
type Limited = <T>(send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>) => Promise<T>;

/** Innermost, within the SDK's own repetitions: what those heal would else be seen by nobody. */
function tellOfThrottles(client: DynamoDBClient, onThrottled: () => void): void {
  client.middlewareStack.add(
    (next) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (error instanceof Error && throttles.includes(error.name)) onThrottled();
        throw error;
      }
    },
    { name: "tellOfThrottles", step: "deserialize", priority: "high" },
  );
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
const throttles: readonly string[] = [
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottlingException",
];

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
    readonly limited: Limited;
  },
): Promise<readonly Item[]> {
  const { limit = Number.POSITIVE_INFINITY, after } = call.query;
  const items: Item[] = [];
  let ExclusiveStartKey: QueryCommandInput["ExclusiveStartKey"] = after && marshall(after);
  do {
    const input = { TableName: call.TableName, ...queryExpression(call.query), ExclusiveStartKey };
    const command = new QueryCommand(input);
    const page = await call.limited((options) => client.send(command, options));
    for (const item of page.Items ?? []) items.push(unmarshall(item));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey && items.length < limit);
  return items.slice(0, limit);
}

function queryExpression({ index, where, filter, newestFirst = false, limit }: Query) {
  return {
    ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
    // DynamoDB counts what it reads, before it filters.
    ...(limit === undefined || filter !== undefined ? {} : { Limit: limit }),
    ...(filter === undefined ? {} : { FilterExpression: filter.text }),
    KeyConditionExpression: where.text,
    ExpressionAttributeNames: attributeNames(`${where.text} ${filter?.text ?? ""}`),
    ExpressionAttributeValues: attributeValues({ ...where.values, ...filter?.values }),
    ScanIndexForward: !newestFirst,
  };
}

function updateExpression({ set = {}, remove = [], add = {}, condition }: Update) {
  const assigned = Object.entries(set).filter(([, value]) => value !== undefined);
  const added = Object.entries(add);
  const clauses = [
    ["SET", assigned.map(([name]) => `#${name} = :set_${name}`)],
    ["REMOVE", remove.map((name) => `#${name}`)],
    ["ADD", added.map(([name]) => `#${name} :add_${name}`)],
  ] as const;
  const text = clauses.flatMap(([verb, parts]) => (parts.length > 0 ? [`${verb} ${parts.join(", ")}`] : []));
  const values = {
    ...Object.fromEntries(assigned.map(([name, value]) => [`set_${name}`, value])),
    ...Object.fromEntries(added.map(([name, value]) => [`add_${name}`, value])),
    ...condition?.values,
  };
  return {
    UpdateExpression: text.join(" "),
    ...(condition === undefined ? {} : { ConditionExpression: condition.text }),
    ExpressionAttributeNames: attributeNames(`${text.join(" ")} ${condition?.text ?? ""}`),
    ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: attributeValues(values) } : {}),
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
  const named = Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value]));
  return marshall(named, { removeUndefinedValues: true });
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
    const why = error instanceof RunnerError ? error.message : `${error.name}: ${error.message}`;
    throw new RunnerError("ledger_unavailable", `the ledger did not answer: ${why}`, {
      retryable,
      cause: error,
    });
  }
}
