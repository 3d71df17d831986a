import { join, resolve } from "node:path";
import type { Clock } from "../../lib/core/clock.ts";
import { startDatabase, type Database } from "./database.ts";
import { openEndpoints, type Endpoints } from "./endpoints.ts";
import type { CloudEvent, Emit } from "./events.ts";
import type { CloudOptions } from "./local-cloud.ts";
import type { Stack } from "./resources.ts";
import { readStack, type Account } from "./template.ts";
import { newCredentials, type Credentials } from "./signature.ts";
import { startWarden, type Warden } from "./warden.ts";

const accountId = "000000000000";

/**
 * Resources outside this process's memory, which have to be released, and the stack that was read from the
 * template.
 */
export interface CloudContext {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Registers an observer of all events from now on. */
  readonly observe: (observer: (event: CloudEvent) => void) => void;
  readonly account: Account;
  readonly stack: Stack;
  readonly warden: Warden;
  readonly endpoints: Endpoints;
  readonly database: Database | undefined;
  /** The credentials that this cloud's callers sign with. */
  readonly credentials: Credentials;
  /** Address and credentials as environment variables of the AWS SDK. */
  readonly env: Readonly<Record<string, string>>;
}

/** @throws CloudError, TemplateError; then nothing is left open */
export async function openContext(options: CloudOptions): Promise<CloudContext> {
  const { clock, region = "us-east-1", onEvent } = options;
  const observers: ((event: CloudEvent) => void)[] = onEvent === undefined ? [] : [onEvent];
  const emit: Emit = (event) => {
    const whole = { ...event, atMs: clock.now() };
    for (const observer of observers) observer(whole);
  };
  const credentials = newCredentials();
  const endpoints = await openEndpoints({ clock, credentials, proxies: proxiesIn(options.variables) });
  const account = { region, accountId, endpointUrl: endpoints.url };
  const warden = startWarden();
  try {
    const stack = readStack(resolve(options.templateFile), account);
    const common = { clock, emit, account, stack, warden, endpoints };
    const database = await openDatabase(options, common);
    const env = environmentOf(endpoints.url, credentials);
    return { ...common, observe: (observer) => void observers.push(observer), database, credentials, env };
  } catch (error) {
    await Promise.all([endpoints.close(), warden.close()]);
    throw error;
  }
}

type Common = Pick<CloudContext, "clock" | "emit" | "account" | "stack" | "warden">;

async function openDatabase({ dataDir }: CloudOptions, common: Common): Promise<Database | undefined> {
  const { clock, emit, account, stack, warden } = common;
  if (stack.tables.length === 0) return undefined;
  return startDatabase({
    clock,
    warden,
    region: account.region,
    accountId,
    folder: dataDir === undefined ? undefined : join(dataDir, "dynamodb"),
    tables: stack.tables,
    onEnded: (how) => emit({ kind: "database-ended", how }),
  });
}

/** Addresses of proxies. Functions that are sent through a proxy sign for its address. */
const proxiesIn = (variables: CloudOptions["variables"] = {}): readonly string[] =>
  Object.entries(variables).flatMap(([name, value]) =>
    name.startsWith("AWS_ENDPOINT_URL") ? (URL.parse(value)?.host ?? []) : [],
  );

/** Uses one address for all services. */
function environmentOf(url: string, credentials: Credentials): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ENDPOINT_URL_DYNAMODB: url,
    AWS_ENDPOINT_URL_LAMBDA: url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

export async function closeContext({ endpoints, database, warden }: CloudContext): Promise<void> {
  await Promise.all([endpoints.close(), database?.close()]);
  await warden.close();
}
