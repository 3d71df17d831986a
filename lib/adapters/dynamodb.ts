import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  type DynamoDBClientConfig,
} from "@aws-sdk/client-dynamodb";
import {
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
  type QueryCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { systemClock, withTimeLimit, type Clock } from "../core/clock.ts";
import { hasCode, RunnerError } from "../core/errors.ts";
import { timing } from "../core/timing.ts";
import {
  checkedAnswers,
  connections,
  countThrottles,
  isPassing,
  isRefusal,
  isWithoutCredentials,
  networkFault,
} from "./aws.ts";

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
  /** Adds atomically, starting from 0. If an answer is lost, the retry may add twice, unless the condition prevents it. */
  readonly add?: Readonly<Record<string, number>>;
  readonly condition?: Expression;
}

export interface Query {
  readonly index?: string;
  /** Condition on the keys. */
  readonly where: Expression;
  /** Condition on other attributes. Items that do not match are read and billed anyway. */
  readonly filter?: Expression;
  /** Last key first. */
  readonly newestFirst?: boolean;
  /** The most items to return. */
  readonly limit?: number;
  /** Starts after this key. */
  readonly after?: ItemKey;
}

/**
 * One DynamoDB table with conditional writes of single items. `signal` aborts a call.
 * @throws RunnerError `run_store_unavailable`, retryable when trying again can help; or the signal's reason
 */
export interface Table {
  get(key: ItemKey, signal?: AbortSignal): Promise<Item | undefined>;
  /** `false`: the condition does not hold. */
  put(item: Item & ItemKey, condition: Expression | undefined, signal?: AbortSignal): Promise<boolean>;
  /** The item after the update; `undefined`: the condition does not hold. */
  update(key: ItemKey, update: Update, signal?: AbortSignal): Promise<Item | undefined>;
  query(query: Query, signal?: AbortSignal): Promise<readonly Item[]>;
}

/** The SDK's own settings; region, endpoint and credentials otherwise come from the standard AWS variables. */
export interface TableOptions extends DynamoDBClientConfig {
  /** Called for each throttled call, retries included. */
  readonly onThrottled?: () => void;
  /** Used for time limits. */
  readonly clock?: Clock;
}

/** The SDK retries throttles and faults within `timing.runStoreLimitMs`. A conditional write is safe to repeat. */
const clientDefaults: DynamoDBClientConfig = {
  maxAttempts: 5,
  retryMode: "standard",
  requestHandler: connections({ connectMs: 1_500, silenceMs: 1_500 }),
};

type Send = <T>(
  signal: AbortSignal | undefined,
  call: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
) => Promise<T>;

export function createTable(tableName: string, options: TableOptions = {}): Table {
  const { clock = systemClock, onThrottled, ...config } = options;
  const client = createClient(config, onThrottled);
  const send = createSend(clock);
  const TableName = tableName;
  return {
    get: async (Key, signal) => {
      const command = new GetCommand({ TableName, Key, ConsistentRead: true });
      return (await send(signal, (sent) => client.send(command, sent))).Item;
    },

    put: async (Item, condition, signal) => {
      const command = new PutCommand({ TableName, Item, ...conditional(condition) });
      return (await whereHeld(send(signal, (sent) => client.send(command, sent)))) !== undefined;
    },

    update: async (Key, update, signal) => {
      const how = { ReturnValues: "ALL_NEW" as const, ...updateExpression(update) };
      const command = new UpdateCommand({ TableName, Key, ...how });
      const answer = await whereHeld(send(signal, (sent) => client.send(command, sent)));
      if (answer && !answer.Attributes)
        throw new RunnerError("run_store_unavailable", "the run store's answer has no item", {
          retryable: true,
        });
      return answer?.Attributes;
    },

    query: async (query, signal) => {
      const { limit = Number.POSITIVE_INFINITY } = query;
      const items: Item[] = [];
      let ExclusiveStartKey: QueryCommandInput["ExclusiveStartKey"] = query.after && { ...query.after };
      do {
        const command = new QueryCommand({ TableName, ...queryExpression(query), ExclusiveStartKey });
        const page = await send(signal, (sent) => client.send(command, sent));
        items.push(...(page.Items ?? []));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey && items.length < limit);
      return items.slice(0, limit);
    },
  };
}

function createClient(config: DynamoDBClientConfig, onThrottled?: () => void): DynamoDBDocumentClient {
  const client = new DynamoDBClient({ ...clientDefaults, ...config });
  client.middlewareStack.use(checkedAnswers());
  if (onThrottled) client.middlewareStack.use(countThrottles(onThrottled));
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

const createSend =
  (clock: Clock): Send =>
  async (signal, call) => {
    const limit = { clock, limitMs: timing.runStoreLimitMs, what: "the call" };
    try {
      return await withTimeLimit(signal ? { ...limit, signal } : limit, (abortSignal) =>
        call({ abortSignal }),
      );
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof ConditionalCheckFailedException ? error : unavailable(error);
    }
  };

/** `undefined`: the condition does not hold. */
async function whereHeld<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/** Bugs of ours pass through unchanged. */
function unavailable(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const isLate = hasCode(error, "time_limit");
  if (!isLate && !isRefusal(error) && networkFault(error) === undefined && !isWithoutCredentials(error))
    return error;
  const why = isLate ? error.message : `${error.name}: ${error.message}`;
  const retryable = isLate || isPassing(error);
  const what = isRefusal(error) && !retryable ? "refused the call" : "did not answer";
  return new RunnerError("run_store_unavailable", `the run store ${what}: ${why}`, {
    retryable,
    cause: error,
  });
}

function queryExpression({ index, where, filter, newestFirst = false, limit }: Query) {
  return {
    IndexName: index,
    ConsistentRead: index === undefined,
    // DynamoDB applies the limit before the filter.
    Limit: filter ? undefined : limit,
    FilterExpression: filter?.text,
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
    ConditionExpression: condition?.text,
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
  const names: Record<string, string> = {};
  for (const placeholder of text.match(/#\w+/g) ?? []) names[placeholder] = placeholder.slice(1);
  return names;
}

function attributeValues(values: Item) {
  const named: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) named[`:${name}`] = value;
  return named;
}
