import type {
  GetItemCommandInput,
  GetItemCommandOutput,
  PutItemCommandInput,
  PutItemCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
  UpdateItemCommandInput,
  UpdateItemCommandOutput,
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import {
  AwsError,
  createAwsJson,
  isPassing,
  isThrottle,
  type AwsAccess,
  type AwsJsonCall,
  type AwsJsonService,
} from "../aws-json.ts";
import { systemClock, withTimeLimit, type Clock } from "../clock.ts";
import { hasCode, RunnerError } from "../errors.ts";
import { brokenExchange, createHttp } from "../http.ts";
import { retry, type RetryPolicy } from "../retry.ts";
import { timing } from "../timing.ts";

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
  /** Atomically: what is there plus this, from 0. A lost answer may make a repetition add twice, unless the condition stops it. */
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

export interface TableOptions {
  readonly call: AwsJsonCall;
  /** Told of each call that DynamoDB throttled, repetitions too. */
  readonly onThrottled?: () => void;
  /** Times the calls. */
  readonly clock?: Clock;
  /** 0 (included) to 1 (excluded). */
  readonly random?: () => number;
}

/** Within `timing.ledgerLimitMs`. A conditional write is safe to repeat. */
const repetitions: RetryPolicy = { attempts: 5, baseMs: 100, maxMs: 1_000, maxRetryAfterMs: 0 };

export interface DynamoDbOptions {
  readonly clock?: Clock;
  /** One attempt's. */
  readonly silenceMs?: number;
}

/** DynamoDB over connections of its own. */
export function createDynamoDb(access: AwsAccess, options: DynamoDbOptions = {}): AwsJsonCall {
  const { clock = systemClock, silenceMs = 1_500 } = options;
  const service: AwsJsonService = { name: "dynamodb", target: "DynamoDB_20120810", version: "1.0" };
  return createAwsJson({ clock, access, fetch: createHttp({ silenceMs }).fetch }, service);
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations.html */
interface Actions {
  readonly GetItem: { readonly input: GetItemCommandInput; readonly output: GetItemCommandOutput };
  readonly PutItem: { readonly input: PutItemCommandInput; readonly output: PutItemCommandOutput };
  readonly UpdateItem: { readonly input: UpdateItemCommandInput; readonly output: UpdateItemCommandOutput };
  readonly Query: { readonly input: QueryCommandInput; readonly output: QueryCommandOutput };
}

/** `undefined`: the condition does not hold. */
type Send = <A extends keyof Actions>(
  action: A,
  input: Actions[A]["input"],
  signal: AbortSignal | undefined,
) => Promise<Actions[A]["output"] | undefined>;

export function createTable(tableName: string, options: TableOptions): Table {
  const send = createSend(options);
  const TableName = tableName;
  return {
    get: async (key, signal) => {
      const answer = await send("GetItem", { TableName, Key: marshall(key), ConsistentRead: true }, signal);
      return answer?.Item && unmarshall(answer.Item);
    },

    put: async (item, condition, signal) => {
      const Item = marshall(item, { removeUndefinedValues: true });
      return (await send("PutItem", { TableName, Item, ...conditional(condition) }, signal)) !== undefined;
    },

    update: async (key, update, signal) => {
      const how = { ReturnValues: "ALL_NEW" as const, ...updateExpression(update) };
      const answer = await send("UpdateItem", { TableName, Key: marshall(key), ...how }, signal);
      if (answer && !answer.Attributes)
        throw new RunnerError("ledger_unavailable", "the ledger's answer has no item", { retryable: true });
      return answer?.Attributes && unmarshall(answer.Attributes);
    },

    query: (query, signal) => queryAll(send, { TableName, query, signal }),
  };
}

function createSend(options: TableOptions): Send {
  const { call, onThrottled, clock = systemClock, random = Math.random } = options;
  const once: Send = async (action, input, signal = new AbortController().signal) => {
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the service's own contract
      return (await call(action, input, signal)) as Actions[typeof action]["output"];
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AwsError && error.name === "ConditionalCheckFailedException") return undefined;
      if (isThrottle(error)) onThrottled?.();
      throw unavailable(error);
    }
  };
  return async (action, input, outer) => {
    const limit = { clock, limitMs: timing.ledgerLimitMs, what: "the call" };
    try {
      return await withTimeLimit(outer ? { ...limit, signal: outer } : limit, (signal) =>
        retry({ deps: { clock, random }, policy: repetitions, signal }, () => once(action, input, signal)),
      );
    } catch (error) {
      throw hasCode(error, "time_limit") ? unavailable(error) : error;
    }
  };
}

/** A bug of ours stays what it is. */
function unavailable(error: unknown): unknown {
  const said = brokenExchange(error) ?? error;
  if (!(said instanceof Error) || said instanceof TypeError) return error;
  const why = said instanceof RunnerError ? said.message : `${said.name}: ${said.message}`;
  return new RunnerError("ledger_unavailable", `the ledger did not answer: ${why}`, {
    retryable: said instanceof RunnerError ? said.retryable : isPassing(error),
    cause: error,
  });
}

interface QueryCall {
  readonly TableName: string;
  readonly query: Query;
  readonly signal: AbortSignal | undefined;
}

async function queryAll(send: Send, { TableName, query, signal }: QueryCall): Promise<readonly Item[]> {
  const { limit = Number.POSITIVE_INFINITY, after } = query;
  const items: Item[] = [];
  let ExclusiveStartKey: QueryCommandInput["ExclusiveStartKey"] = after && marshall(after);
  do {
    const page = await send("Query", { TableName, ...queryExpression(query), ExclusiveStartKey }, signal);
    for (const item of page?.Items ?? []) items.push(unmarshall(item));
    ExclusiveStartKey = page?.LastEvaluatedKey;
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
  const names: Record<string, string> = {};
  for (const placeholder of text.match(/#\w+/g) ?? []) names[placeholder] = placeholder.slice(1);
  return names;
}

function attributeValues(values: Item) {
  const named: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) named[`:${name}`] = value;
  return marshall(named, { removeUndefinedValues: true });
}
